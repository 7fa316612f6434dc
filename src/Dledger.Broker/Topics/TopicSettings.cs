using Dledger.Broker.Idempotence;
using Dledger.Broker.Lites;
using Dledger.Broker.Quotas;
using Dledger.Broker.Routes;
using Dledger.Broker.Transactions;

namespace Dledger.Broker.Topics;

/// <summary>What can be changed about a topic beside its queues and types: an immutable snapshot, any thread.</summary>
public sealed record TopicSettings
{
    public static readonly TopicSettings Default = new();

    /// <summary>What it keeps by its own wish.</summary>
    public TopicRetention Retention { get; init; }

    /// <summary>Which message ids it remembers.</summary>
    public IdWindowSettings IdWindow { get; init; }

    /// <summary>When its producers are asked about transactions that they did not decide.</summary>
    public TransactionChecks Checks { get; init; } = TransactionChecks.Default;

    /// <summary>What all of its producers together may send in a second.</summary>
    public QuotaRates ProduceQuota { get; init; }

    /// <summary>Who is asked about them while no producer is connected.</summary>
    public TransactionWebhook Webhook { get; init; } = TransactionWebhook.None;

    /// <summary>In which topics its messages also stand, by the names of the routes.</summary>
    public IReadOnlyList<TopicRoute> Routes { get; init; } = [];

    /// <summary>How long its lite topics live and how many they may be; only a topic of the type LITE has any.</summary>
    public LiteSettings Lite { get; init; } = LiteSettings.Default;
}
