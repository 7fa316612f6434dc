using System.Text.Json.Serialization;

namespace Dledger.Client.Administration;

/// <summary>What becomes of a message that was delivered as often as its group allows.</summary>
public enum PoisonMode
{
    /// <summary>It moves to the dead letter topic.</summary>
    DeadLetter = 1,

    /// <summary>It is tried for ever; in an ordered group its message group waits.</summary>
    Block = 2,

    /// <summary>It waits for an operator; in an ordered group what follows it in its message group waits behind.</summary>
    Park = 3,
}

/// <summary>When a message is consumed.</summary>
public enum AckMode
{
    /// <summary>When it is acknowledged.</summary>
    AtLeastOnce = 1,

    /// <summary>When it is delivered.</summary>
    AtMostOnce = 2,
}

/// <summary>What becomes of a message whose time to live is over.</summary>
public enum ExpiryMode
{
    /// <summary>It is consumed without delivery.</summary>
    Drop = 1,

    /// <summary>It moves to the dead letter topic.</summary>
    DeadLetter = 2,
}

/// <summary>How a consumer group treats its messages; null asks for the default, or leaves a thing as it is.</summary>
public sealed record GroupModes
{
    /// <summary>After the last attempt.</summary>
    public PoisonMode? Poison { get; init; }

    /// <summary>The wait between deliveries is kept as well when an invisible duration ran out.</summary>
    public bool? BackoffOnExpiry { get; init; }

    /// <summary>When a message is consumed.</summary>
    public AckMode? AckMode { get; init; }

    /// <summary>Only one client at a time is given messages of a topic.</summary>
    public bool? Exclusive { get; init; }

    /// <summary>Most messages in flight over all topics, 1 to 1,000,000.</summary>
    public int? MaxInFlight { get; init; }

    /// <summary>The same for one client.</summary>
    public int? MaxInFlightPerClient { get; init; }

    /// <summary>Most lite topics that one client may read, 1 to 10,000.</summary>
    public int? LiteSubscriptionQuota { get; init; }

    /// <summary>After a message's time to live.</summary>
    public ExpiryMode? Expiry { get; init; }

    /// <summary>Messages that all of its clients together may be given in a second; 0: no bound, null in a description.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ReceiveMessagesPerSecond { get; init; }

    /// <summary>The same in bytes of messages as they are stored.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ReceiveBytesPerSecond { get; init; }

    /// <summary>Each client receives every message; fixed when the group is created. Null for other groups.</summary>
    public bool? Broadcast { get; init; }

    /// <summary>After so long a silence a client of a broadcast group is a member no more, 2 min to 7 days.</summary>
    public TimeSpan? MemberExpiry { get; init; }
}

/// <summary>A group that is given nothing for a while.</summary>
/// <param name="Reason">What the operator said; may be empty.</param>
/// <param name="Since">When it began.</param>
/// <param name="Until">Null: until somebody resumes it.</param>
public sealed record GroupPause(string Reason, DateTimeOffset Since, DateTimeOffset? Until);
