using Dledger.Frontend.Calls;
using Grpc.Core;

namespace Dledger.Frontend.Forwarding;

/// <summary>What a failed forwarded call says about the request.</summary>
internal enum ForwardFault
{
    /// <summary>The other node does not lead, or could not be reached: it has done nothing.</summary>
    NotDone,

    /// <summary>The connection broke or the time ran out: the request may have taken effect.</summary>
    Unknown,
}

/// <summary>Reads the fault out of a gRPC failure, and writes the one that this node answers itself.</summary>
internal static class ForwardFaults
{
    public static ForwardFault Of(RpcException exception)
    {
        if (exception.StatusCode == StatusCode.FailedPrecondition
            && exception.Trailers.Any(trailer => trailer.Key == ClientHeaders.NotLeader))
        {
            return ForwardFault.NotDone;
        }

        // No connection came about, so no byte of the request has left this node.
        return exception.StatusCode == StatusCode.Unavailable && WasNeverConnected(exception.Status.DebugException)
            ? ForwardFault.NotDone
            : ForwardFault.Unknown;
    }

    /// <summary>The answer to a forwarded call on a node that does not lead.</summary>
    public static RpcException NotLeader(Primitives.NodeId leader) => new(
        new Status(StatusCode.FailedPrecondition, "this node does not lead; the call was forwarded already"),
        new Metadata { { ClientHeaders.NotLeader, leader.ToString() } });

    private static bool WasNeverConnected(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is HttpRequestException
                {
                    HttpRequestError: HttpRequestError.ConnectionError
                        or HttpRequestError.NameResolutionError
                        or HttpRequestError.SecureConnectionError
                        or HttpRequestError.ProxyTunnelError
                })
            {
                return true;
            }
        }

        return false;
    }
}
