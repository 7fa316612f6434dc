using Grpc.Core;

namespace Dledger.GrpcCompat.Tests.Interop;

/// <summary>Tells whether a server handler's last request message came compressed.</summary>
internal static class ReceivedCompression
{
    public static bool OfLastMessage(ServerCallContext context)
    {
#if OFFICIAL_GRPC
        // The official server shows only the encoding of the call.
        return context.GetHttpContext().Request.Headers["grpc-encoding"] == "gzip";
#else
        return ((Dledger.GrpcCompat.AspNetCore.Calls.ServerCall)context).Reader.LastCompressed;
#endif
    }
}
