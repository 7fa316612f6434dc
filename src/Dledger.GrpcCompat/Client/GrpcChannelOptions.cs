using Dledger.GrpcCompat.Wire;
using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>How a channel connects and what its calls may do.</summary>
public sealed class GrpcChannelOptions
{
    public GrpcChannelOptions()
    {
    }

    /// <summary>Null: taken from the scheme of the address.</summary>
    public ChannelCredentials? Credentials { get; set; }

    /// <summary>Largest message sent, in bytes; default null: no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Largest message received, in bytes; default 4 MiB; null: no limit.</summary>
    public int? MaxReceiveMessageSize { get; set; } = MessageLimits.ReceiveBytesDefault;

    /// <summary>
    /// What speaks HTTP/2, used as it is; TLS certificates, window sizes and pings are set there. Null: a
    /// <see cref="SocketsHttpHandler"/> that pings every 30 s while calls are open.
    /// </summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>Whether the channel disposes a given <see cref="HttpHandler"/>; its own it always disposes.</summary>
    public bool DisposeHttpClient { get; set; }

    /// <summary>
    /// Whether a call that was cancelled here, or whose deadline passed, throws
    /// <see cref="OperationCanceledException"/> instead of <see cref="RpcException"/>.
    /// </summary>
    public bool ThrowOperationCanceledOnCancellation { get; set; }

    /// <summary>
    /// Whether call credentials are also sent over plain text; default false: they are left out there.
    /// </summary>
    public bool UnsafeUseInsecureChannelCallCredentials { get; set; }

    /// <summary>The clock of deadlines; tests replace it.</summary>
    internal TimeProvider Time { get; set; } = TimeProvider.System;
}
