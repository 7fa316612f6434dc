using Dledger.Broker.Idempotence;
using Dledger.Broker.Lites;
using Dledger.Broker.Messages;
using Dledger.Broker.Quotas;

namespace Dledger.Broker.Topics;

/// <summary>A topic as asked for.</summary>
public sealed record TopicSpec
{
    public required string Name { get; init; }

    /// <summary>
    /// 1 to <see cref="Naming.Limits.QueueCountMax"/>. An existing topic's count may grow, never shrink.
    /// </summary>
    public int QueueCount { get; init; } = 8;

    /// <summary>What producers may send to it.</summary>
    public MessageTypeSet AcceptedTypes { get; init; } = MessageTypeSet.Normal;

    /// <summary>
    /// How long its messages are kept, consumed or not; shorter or longer than those of the cluster. Zero: as long as the cluster's.
    /// </summary>
    public TimeSpan RetentionTime { get; init; }

    /// <summary>Bytes of its messages, over all queues, above which the oldest go. 0: no bound.</summary>
    public long RetentionBytes { get; init; }

    /// <summary>
    /// How long its messages are known by their ids, so that a repeat is stored no second time; up to
    /// <see cref="Naming.Limits.IdWindowTimeMax"/>. Zero: not at all.
    /// </summary>
    public TimeSpan IdWindowTime { get; init; }

    /// <summary>Most ids remembered; above it the oldest are forgotten. 0: 100,000.</summary>
    public long IdWindowCount { get; init; }

    /// <summary>What all of its producers together may send in a second; up to <see cref="Naming.Limits.QuotaRateMax"/> each.</summary>
    public QuotaRates ProduceQuota { get; init; }

    /// <summary>For so long without a message a lite topic is kept at least; for topics of the type LITE.</summary>
    public TimeSpan LiteExpiry { get; init; } = LiteSettings.Default.Expiry;

    /// <summary>Most lite topics at a time, up to <see cref="Naming.Limits.LiteTopicsMax"/>; for topics of the type LITE.</summary>
    public int LiteTopicsMax { get; init; } = LiteSettings.Default.CountMax;

    internal TopicSettings Settings => new()
    {
        Retention = new TopicRetention((long)RetentionTime.TotalMicroseconds, RetentionBytes),
        Lite = new LiteSettings((long)LiteExpiry.TotalMicroseconds, LiteTopicsMax),
        IdWindow = new IdWindowSettings((long)IdWindowTime.TotalMicroseconds, IdWindowCount),
        ProduceQuota = ProduceQuota,
    };
}
