using Grpc.Core;

namespace Dledger.GrpcCompat.Client;

/// <summary>The statuses of calls that fail on this side.</summary>
internal static class CallFaults
{
    public static readonly Status Disposed = new(StatusCode.Cancelled, "The call was disposed.");

    public static readonly Status CancelledByCaller = new(StatusCode.Cancelled, "The caller cancelled the call.");

    public static readonly Status DeadlineExceeded = new(
        StatusCode.DeadlineExceeded, "The deadline passed before the call ended.");

    public static Status OfSerializer(Exception fault)
    {
        return fault is RpcException refusal
            ? refusal.Status
            : new Status(StatusCode.Internal, "The request could not be serialised.", fault);
    }
}
