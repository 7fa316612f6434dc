namespace Dledger.GrpcCompat.Client;

/// <summary>Makes the HTTP handler of a channel that was not given one.</summary>
internal static class ChannelHandler
{
    /// <summary>
    /// How long a connection with open calls may be silent before the peer is asked whether it lives.
    /// </summary>
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(30);

    /// <summary>How long the answer may take before the connection counts as dead.</summary>
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The least time that gRPC's connection backoff protocol grants a connection attempt.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(20);

    public static SocketsHttpHandler Create()
    {
        return new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingDelay = PingDelay,
            KeepAlivePingTimeout = PingTimeout,
            // Pings on an idle connection make other gRPC servers close it ("too many pings").
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            ActivityHeadersPropagator = null,
        };
    }
}
