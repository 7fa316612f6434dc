using Dledger.Client.Errors;
using Grpc.Core;

namespace Dledger.Client.Connections;

/// <summary>What a failed call means to the caller. These are faults of the way; answers carry their own status.</summary>
internal static class CallFailure
{
    public static DledgerException Judge(RpcException exception, string operation, NodeAddress address)
    {
        var reason = exception.Status.Detail;
        return exception.StatusCode switch
        {
            StatusCode.Unavailable when BrokeOnTheWay(exception) => new OutcomeUnknownException(
                $"{operation}: the connection to {address} broke ({reason}).",
                "It may have been done. See who leads: dledger cluster status",
                exception),
            StatusCode.Unavailable => new ClusterUnavailableException(
                $"{operation}: {address} is not reachable ({reason}).",
                "Is a node running there? Start one with 'dledger dev', or name another with --address.",
                exception),
            StatusCode.ResourceExhausted => new ClusterUnavailableException(
                $"{operation}: {address} has too much to do ({reason}).", "Try again in a moment.", exception),
            StatusCode.DeadlineExceeded or StatusCode.Cancelled or StatusCode.Aborted => new OutcomeUnknownException(
                $"{operation}: no answer from {address} in time ({reason}).",
                "It may have been done. See who leads: dledger cluster status",
                exception),
            StatusCode.Internal when IsOfConnection(exception) => new OutcomeUnknownException(
                $"{operation}: the connection to {address} broke ({reason}).",
                "It may have been done. See who leads: dledger cluster status",
                exception),
            StatusCode.Unimplemented => new RequestRefusedException(
                $"{operation}: {address} does not offer this ({reason}).",
                "Is it a Dledger node, of the same version?",
                exception.StatusCode.ToString(),
                exception),
            StatusCode.InvalidArgument or StatusCode.PermissionDenied or StatusCode.Unauthenticated =>
                new RequestRefusedException(
                    $"{operation}: {address} refused it ({reason}).", "", exception.StatusCode.ToString(), exception),
            _ => new ServerFaultException(
                $"{operation}: {address} failed ({exception.StatusCode}: {reason}).",
                "Look into the log of the node.",
                exception),
        };
    }

    // The node said so itself, refused the stream, or was never reached: then nothing was done. Of what else broke nobody knows.
    private static bool BrokeOnTheWay(RpcException exception)
    {
        for (var cause = exception.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                // The only reset that gRPC calls unavailable is the refusal of a stream.
                case HttpProtocolException:
                case TimeoutException:
                case HttpRequestException
                {
                    HttpRequestError: HttpRequestError.ConnectionError
                        or HttpRequestError.NameResolutionError
                        or HttpRequestError.SecureConnectionError
                        or HttpRequestError.VersionNegotiationError
                }:
                    return false;
                default:
                    break;
            }
        }

        return exception.Status.DebugException is not null;
    }

    // As gRPC wants it a broken rule of HTTP/2 is an internal error. A ping that nobody answers counts as one, and the node had no part in it.
    private static bool IsOfConnection(RpcException exception)
    {
        for (var cause = exception.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            if (cause is HttpProtocolException or HttpRequestException)
            {
                return true;
            }
        }

        return false;
    }
}
