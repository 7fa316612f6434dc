namespace Dledger.Server.Options;

/// <summary>What one client may ask for.</summary>
public sealed record LimitOptions
{
    /// <summary>The largest body that every official client can receive: 4 MiB less room for the properties.</summary>
    public const int BodyBytesCeiling = 4_194_304 - 65_536;

    /// <summary><c>limits.bodySize</c>: bytes of one message body, 1 KiB..4128768.</summary>
    public int BodyBytesMax { get; init; } = BodyBytesCeiling;

    /// <summary><c>limits.requestSize</c>: bytes of one request, 5 MiB..512 MiB. A request is held in memory.</summary>
    public int RequestBytesMax { get; init; } = 130 << 20;

    /// <summary><c>limits.longPoll</c>: how long a receive waits for messages at most, 1 s..20 s. Shorter ones make
    /// clients shut down faster and ask more often.</summary>
    public TimeSpan LongPollMax { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary><c>limits.receiveBatch</c>: messages in one answer to a push consumer, 1..32.</summary>
    public int ReceiveBatchCount { get; init; } = 32;

    /// <summary><c>limits.parkedPolls</c>: receives that wait on this node, 1..1000000; further ones are told
    /// TOO_MANY_REQUESTS.</summary>
    public int ParkedPollsMax { get; init; } = 20_000;

    /// <summary><c>limits.clientMessagesPerSecond</c>: messages that one client may send in a second, and be given,
    /// 0..2^40; 0: no bound.</summary>
    public long ClientMessagesPerSecond { get; init; }

    /// <summary><c>limits.clientBytesPerSecond</c>: the same in bytes of messages as they are stored.</summary>
    public long ClientBytesPerSecond { get; init; }

    /// <summary><c>limits.drain</c>: how long a stopping node waits for calls under way, 0 s..5 min.</summary>
    public TimeSpan DrainMax { get; init; } = TimeSpan.FromSeconds(5);
}
