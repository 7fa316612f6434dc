using Dledger.GrpcCompat.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>Answers paths that no mapped method has.</summary>
internal static class UnknownMethod
{
    /// <summary>A gRPC request gets UNIMPLEMENTED; to all others such a path does not exist.</summary>
    public static Task AnswerAsync(HttpContext http, string unknown)
    {
        if (!HeaderNames.IsGrpcContentType(http.Request.ContentType))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
        }
        else if (RequestGate.TryAdmitTransport(http))
        {
            var detail = $"{http.Request.Path} is not implemented: unknown {unknown}.";
            RequestGate.Refuse(http.Response, new Status(StatusCode.Unimplemented, detail));
        }

        return Task.CompletedTask;
    }
}
