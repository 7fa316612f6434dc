#if !OFFICIAL_GRPC
using Dledger.GrpcCompat.Client;

namespace Dledger.GrpcCompat.Tests.Client;

public sealed class ChannelHandlerTests
{
    [Fact]
    public void A_channel_without_a_handler_pings_while_calls_are_open_and_keeps_idle_connections()
    {
        using var handler = ChannelHandler.Create();

        Assert.Equal(TimeSpan.FromSeconds(30), handler.KeepAlivePingDelay);
        Assert.Equal(TimeSpan.FromSeconds(10), handler.KeepAlivePingTimeout);
        Assert.Equal(HttpKeepAlivePingPolicy.WithActiveRequests, handler.KeepAlivePingPolicy);
        Assert.Equal(Timeout.InfiniteTimeSpan, handler.PooledConnectionIdleTimeout);
        Assert.False(handler.UseProxy);
        Assert.True(handler.EnableMultipleHttp2Connections);
    }
}
#endif
