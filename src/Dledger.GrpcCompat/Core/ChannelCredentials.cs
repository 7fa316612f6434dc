namespace Grpc.Core;

/// <summary>How a channel protects its connections. Must fit the scheme of the address: http or https.</summary>
public abstract class ChannelCredentials
{
    private ChannelCredentials()
    {
    }

    /// <summary>Plain text.</summary>
    public static ChannelCredentials Insecure { get; } = new ConnectionCredentials(isSecure: false);

    /// <summary>TLS; certificates are configured at the channel's HTTP handler.</summary>
    public static ChannelCredentials SecureSsl { get; } = new ConnectionCredentials(isSecure: true);

    internal abstract bool IsSecure { get; }

    internal virtual CallCredentials? CallCredentials => null;

    /// <summary>The first, with metadata of the second added to every call.</summary>
    public static ChannelCredentials Create(ChannelCredentials channelCredentials, CallCredentials callCredentials)
    {
        ArgumentNullException.ThrowIfNull(channelCredentials);
        ArgumentNullException.ThrowIfNull(callCredentials);
        return channelCredentials.CallCredentials is null
            ? new CompositeCredentials(channelCredentials, callCredentials)
            : throw new ArgumentException(
                "These channel credentials already carry call credentials.", nameof(channelCredentials));
    }

    private sealed class ConnectionCredentials(bool isSecure) : ChannelCredentials
    {
        internal override bool IsSecure => isSecure;
    }

    private sealed class CompositeCredentials(ChannelCredentials connection, CallCredentials call) : ChannelCredentials
    {
        internal override bool IsSecure => connection.IsSecure;

        internal override CallCredentials? CallCredentials => call;
    }
}
