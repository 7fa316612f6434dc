using Grpc.Core;

namespace Dledger.GrpcCompat.Wire;

/// <summary>The refusals of messages above a configured size.</summary>
internal static class MessageLimits
{
    /// <summary>What a side accepts unless told otherwise, in bytes: 4 MiB as in every gRPC implementation.</summary>
    public const int ReceiveBytesDefault = 4 * 1024 * 1024;

    public static RpcException TooLargeToReceive(int bytesMax)
    {
        return Refuse($"The received message is larger than the limit of {bytesMax} bytes.");
    }

    public static RpcException TooLargeToSend(int bytesMax)
    {
        return Refuse($"The message to send is larger than the limit of {bytesMax} bytes.");
    }

    private static RpcException Refuse(string detail)
    {
        return new RpcException(new Status(StatusCode.ResourceExhausted, detail));
    }
}
