using Dledger.Broker.Messages;
using Dledger.Broker.Transactions;

namespace Dledger.Broker.Topics;

/// <summary>What shall be different about an existing topic; null leaves a thing as it is.</summary>
public sealed record TopicChange
{
    public required string Name { get; init; }

    /// <summary>At least the present number, at most <see cref="Naming.Limits.QueueCountMax"/>.</summary>
    public int? QueueCount { get; init; }

    /// <summary>What producers may send to it.</summary>
    public MessageTypeSet? AcceptedTypes { get; init; }

    /// <summary>See <see cref="TopicSpec.RetentionTime"/>; zero takes it away.</summary>
    public TimeSpan? RetentionTime { get; init; }

    /// <summary>See <see cref="TopicSpec.RetentionBytes"/>; 0 takes it away.</summary>
    public long? RetentionBytes { get; init; }

    /// <summary>See <see cref="TopicSpec.IdWindowTime"/>; zero ends it and forgets all ids.</summary>
    public TimeSpan? IdWindowTime { get; init; }

    /// <summary>See <see cref="TopicSpec.IdWindowCount"/>.</summary>
    public long? IdWindowCount { get; init; }

    /// <summary>See <see cref="TopicSpec.LiteExpiry"/>.</summary>
    public TimeSpan? LiteExpiry { get; init; }

    /// <summary>See <see cref="TopicSpec.LiteTopicsMax"/>. Fewer than there are end none.</summary>
    public int? LiteTopicsMax { get; init; }

    /// <summary>See <see cref="TransactionChecks.First"/>; 1 s to <see cref="Naming.Limits.TransactionRecoveryMax"/>.</summary>
    public TimeSpan? FirstCheck { get; init; }

    /// <summary>See <see cref="TransactionChecks.Interval"/>; 1 s to <see cref="Naming.Limits.TransactionRecoveryMax"/>.</summary>
    public TimeSpan? CheckInterval { get; init; }

    /// <summary>See <see cref="TransactionChecks.CountMax"/>; 1 to <see cref="Naming.Limits.TransactionChecksMax"/>.</summary>
    public int? CheckCountMax { get; init; }

    /// <summary>See <see cref="TopicSpec.ProduceQuota"/>; 0 takes the bound away.</summary>
    public long? ProduceMessagesPerSecond { get; init; }

    /// <inheritdoc cref="ProduceMessagesPerSecond"/>
    public long? ProduceBytesPerSecond { get; init; }

    /// <summary><see cref="TransactionWebhook.None"/> takes it away.</summary>
    public TransactionWebhook? Webhook { get; init; }
}
