using Dledger.Broker.Deduplication;
using Dledger.Broker.Filtering;
using Dledger.Broker.Quotas;

namespace Dledger.Broker.Groups;

/// <summary>What can be changed about a consumer group: an immutable snapshot, any thread.</summary>
public sealed record GroupSettings
{
    public static readonly GroupSettings Default = new();

    /// <summary>After this many deliveries without acknowledgement <see cref="Poison"/> says what becomes of a message.</summary>
    public int MaxAttempts { get; init; } = 17;

    public BackoffPolicy Backoff { get; init; } = BackoffPolicy.Default;

    /// <summary>What happens when its clients ask for one topic with different filters.</summary>
    public MismatchPolicy Mismatch { get; init; }

    /// <summary>
    /// Its clients did so lately. Set and taken back by the leader, for the next one: that does not know the clients yet and must not
    /// skip what one of them may want.
    /// </summary>
    public bool HasMixedFilters { get; init; }

    /// <summary>What becomes of a message that was delivered <see cref="MaxAttempts"/> times.</summary>
    public PoisonMode Poison { get; init; }

    /// <summary>
    /// A message whose lease ran out waits for the back-off as well; else it is visible at once, and only who gives a message back asks
    /// for a delay.
    /// </summary>
    public bool BackoffOnExpiry { get; init; }

    public AckMode AckMode { get; init; }

    /// <summary>Only one client at a time is given messages of a topic.</summary>
    public bool Exclusive { get; init; }

    /// <summary>Most messages that the group may have in flight, over all topics.</summary>
    public int MaxInFlight { get; init; } = 100_000;

    /// <summary>Most messages that one client of the group may have in flight, over all topics.</summary>
    public int MaxInFlightPerClient { get; init; } = 10_000;

    /// <summary>What all of its clients together may be given in a second, over all topics.</summary>
    public QuotaRates ReceiveQuota { get; init; }

    /// <summary>Most lite topics in the set of one client.</summary>
    public int LiteSubscriptionQuota { get; init; } = 2_000;

    /// <summary>What becomes of messages that live too long, see <see cref="Messages.TimeToLive"/>.</summary>
    public ExpiryMode Expiry { get; init; }

    /// <summary>
    /// Each client of the group receives every message: it has a member group of its own. Fixed for the life of the group.
    /// </summary>
    public bool Broadcast { get; init; }

    /// <summary>A client of a broadcast group that was silent for so long is a member no more.</summary>
    public TimeSpan MemberExpiry { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>By what it knows that it has processed a message, so that no second one is delivered.</summary>
    public DedupSettings Dedup { get; init; } = DedupSettings.None;
}
