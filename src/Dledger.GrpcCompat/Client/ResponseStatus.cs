using System.Net;
using Dledger.GrpcCompat.Wire;
using Grpc.Core;

namespace Dledger.GrpcCompat.Client;

/// <summary>Finds the status of a call in its HTTP response.</summary>
internal static class ResponseStatus
{
    /// <summary>
    /// The status when the headers already tell it: a trailers-only answer, or a response that is not gRPC's. Null: the
    /// trailers will tell.
    /// </summary>
    public static Status? FromHeaders(HttpResponseMessage response)
    {
        if (CallHeaders.Get(response.Headers, HeaderNames.Status) is { } code)
        {
            return StatusFields.Parse(code, CallHeaders.Get(response.Headers, HeaderNames.Message));
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            return new Status(
                FromHttp(response.StatusCode), $"The server answered with HTTP status {(int)response.StatusCode}.");
        }

        var contentType = CallHeaders.Get(response.Content.Headers, HeaderNames.ContentType);
        if (!HeaderNames.IsGrpcContentType(contentType))
        {
            return new Status(
                StatusCode.Unknown,
                $"The server answered with the content type \"{contentType}\", which is not gRPC's.");
        }

        var encoding = CallHeaders.Get(response.Headers, HeaderNames.Encoding);
        return encoding is null or HeaderNames.Identity or HeaderNames.Gzip
            ? null
            : new Status(StatusCode.Internal, $"The server compresses with \"{encoding}\", which was not offered.");
    }

    /// <summary>The status after the last message.</summary>
    public static Status FromTrailers(HttpResponseMessage response)
    {
        return CallHeaders.Get(response.TrailingHeaders, HeaderNames.Status) is { } code
            ? StatusFields.Parse(code, CallHeaders.Get(response.TrailingHeaders, HeaderNames.Message))
            : new Status(StatusCode.Internal, "The server ended the response without a grpc-status.");
    }

    /// <summary>"HTTP to gRPC Status Code Mapping" of the gRPC documents.</summary>
    private static StatusCode FromHttp(HttpStatusCode code)
    {
        return code switch
        {
            HttpStatusCode.BadRequest => StatusCode.Internal,
            HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
            HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
            HttpStatusCode.NotFound => StatusCode.Unimplemented,
            HttpStatusCode.TooManyRequests
                or HttpStatusCode.BadGateway
                or HttpStatusCode.ServiceUnavailable
                or HttpStatusCode.GatewayTimeout => StatusCode.Unavailable,
            _ => StatusCode.Unknown,
        };
    }
}
