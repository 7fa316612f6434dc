using Dledger.GrpcCompat.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>Refuses, before a call begins, what is no gRPC request that we can serve.</summary>
/// <remarks>gRPC over HTTP/2, "Request": a wrong content type gets 415; not POST 405; not HTTP/2 426.</remarks>
internal static class RequestGate
{
    /// <summary>False: the response holds the refusal and nothing more is to be done.</summary>
    public static bool TryAdmit(HttpContext http)
    {
        if (!TryAdmitTransport(http))
        {
            return false;
        }

        var encoding = (string?)http.Request.Headers[HeaderNames.Encoding];
        if (encoding is not (null or HeaderNames.Identity or HeaderNames.Gzip))
        {
            http.Response.Headers[HeaderNames.AcceptEncoding] = HeaderNames.AcceptedEncodings;
            Refuse(
                http.Response,
                new Status(StatusCode.Unimplemented, $"The grpc-encoding \"{encoding}\" is not supported."));
            return false;
        }

        return true;
    }

    /// <inheritdoc cref="TryAdmit"/>
    public static bool TryAdmitTransport(HttpContext http)
    {
        var (request, response) = (http.Request, http.Response);
        if (!HttpProtocol.IsHttp2(request.Protocol) && !HttpProtocol.IsHttp3(request.Protocol))
        {
            response.StatusCode = StatusCodes.Status426UpgradeRequired;
            response.Headers.Upgrade = HttpProtocol.Http2;
            return false;
        }

        if (!HttpMethods.IsPost(request.Method))
        {
            response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            response.Headers.Allow = HttpMethods.Post;
            return false;
        }

        if (!HeaderNames.IsGrpcContentType(request.ContentType))
        {
            response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return false;
        }

        return true;
    }

    /// <summary>Puts a status into the response headers, which end the response when nothing was sent yet.</summary>
    public static void Refuse(HttpResponse response, Status status)
    {
        response.ContentType = HeaderNames.GrpcContentType;
        response.Headers[HeaderNames.Status] = StatusFields.FormatCode(status.StatusCode);
        if (!string.IsNullOrEmpty(status.Detail))
        {
            response.Headers[HeaderNames.Message] = PercentEncoding.Encode(status.Detail);
        }
    }
}
