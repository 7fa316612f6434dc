using System.Net.Sockets;
using System.Security.Authentication;
using Grpc.Core;

namespace Dledger.GrpcCompat.Client;

/// <summary>The status of a call whose connection or stream failed.</summary>
internal static class TransportFault
{
    private const long RefusedStream = 0x7;
    private const long Cancel = 0x8;
    private const long EnhanceYourCalm = 0xb;
    private const long InadequateSecurity = 0xc;

    public static Status ToStatus(Exception fault)
    {
        if (fault is RpcException refusal)
        {
            return refusal.Status;
        }

        for (var cause = fault; cause is not null; cause = cause.InnerException)
        {
            if (cause is HttpProtocolException protocol)
            {
                return new Status(FromErrorCode(protocol.ErrorCode), Describe(fault), fault);
            }
        }

        return new Status(
            IsConnectionFault(fault) ? StatusCode.Unavailable : StatusCode.Internal, Describe(fault), fault);
    }

    /// <summary>Whether the server reset the stream with CANCEL.</summary>
    public static bool IsCancelReset(Exception? fault)
    {
        for (var cause = fault; cause is not null; cause = cause.InnerException)
        {
            if (cause is HttpProtocolException protocol)
            {
                return protocol.ErrorCode == Cancel;
            }
        }

        return false;
    }

    /// <summary>"HTTP2 Transport Mapping, Errors" of gRPC over HTTP/2.</summary>
    private static StatusCode FromErrorCode(long code)
    {
        return code switch
        {
            RefusedStream => StatusCode.Unavailable,
            Cancel => StatusCode.Cancelled,
            EnhanceYourCalm => StatusCode.ResourceExhausted,
            InadequateSecurity => StatusCode.PermissionDenied,
            _ => StatusCode.Internal,
        };
    }

    private static bool IsConnectionFault(Exception fault)
    {
        for (var cause = fault; cause is not null; cause = cause.InnerException)
        {
            // A connection attempt that takes too long surfaces as a cancellation with a TimeoutException inside.
            if (cause is SocketException or IOException or TimeoutException or AuthenticationException
                or HttpRequestException
                {
                    HttpRequestError: HttpRequestError.ConnectionError
                        or HttpRequestError.NameResolutionError
                        or HttpRequestError.SecureConnectionError
                        or HttpRequestError.ResponseEnded
                        or HttpRequestError.VersionNegotiationError
                })
            {
                return true;
            }
        }

        return false;
    }

    private static string Describe(Exception fault)
    {
        return fault.InnerException is { } inner && !fault.Message.Contains(inner.Message, StringComparison.Ordinal)
            ? $"The call failed. {fault.GetType().Name}: {fault.Message} {inner.GetType().Name}: {inner.Message}"
            : $"The call failed. {fault.GetType().Name}: {fault.Message}";
    }
}
