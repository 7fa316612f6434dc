using Dledger.Broker.Messages;
using Dledger.Primitives;
using Dledger.Storage.Keys;

namespace Dledger.Broker.Traces;

/// <summary>What is asked about one message: by id, or by place when the id is empty.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="MessageId">Its id; empty: the place counts.</param>
/// <param name="QueueId">Its queue.</param>
/// <param name="Offset">Its offset.</param>
public sealed record TraceQuery(string Topic, string MessageId, int QueueId, QueueOffset Offset)
{
    /// <summary>Only this group; null: all that read the topic.</summary>
    public string? Group { get; init; }

    /// <summary>Where the history goes on, as an earlier answer said; 0: from the message on.</summary>
    public LogPosition HistoryFrom { get; init; }

    /// <summary>Log bytes that the history reads at most; 0: none; up to 1 GiB.</summary>
    public long HistoryBytesMax { get; init; } = 64L << 20;
}

/// <summary>Where a message stands for a group.</summary>
public enum TraceState
{
    /// <summary>The group never read the topic.</summary>
    NeverRead = 1,

    /// <summary>Messages before it have not been handed out yet.</summary>
    NotReached = 2,

    /// <summary>It may be handed out now: a consumer has to ask for it.</summary>
    Available = 3,

    /// <summary>A consumer has it.</summary>
    InFlight = 4,

    /// <summary>It is invisible until the next delivery, as a consumer asked.</summary>
    WaitsForRetry = 5,

    /// <summary>It ran out of attempts, and its copy is being made.</summary>
    WaitsForDeadLetter = 6,

    /// <summary>Finished, and the history read so far does not tell how.</summary>
    Finished = 7,

    /// <summary>A consumer acknowledged it.</summary>
    Acknowledged = 8,

    /// <summary>The filter of the group left it out.</summary>
    FilteredOut = 9,

    /// <summary>It is a dead letter.</summary>
    DeadLettered = 10,

    /// <summary>Retention took it before it was finished.</summary>
    GivenUp = 11,

    /// <summary>The group began, or was set, behind it.</summary>
    PassedBy = 12,

    /// <summary>An earlier message of its message group has to be over first.</summary>
    HeldBack = 13,

    /// <summary>Out of attempts and set aside until an operator decides.</summary>
    Parked = 14,

    /// <summary>Finished without delivery: the group had processed another message of its key.</summary>
    Deduplicated = 15,

    /// <summary>Its time to live is over: it was finished without delivery, or will be when its turn comes.</summary>
    LivedTooLong = 16,

    /// <summary>The group is paused.</summary>
    Paused = 17,

    /// <summary>The group, or each of its clients, has as many messages in flight as it may.</summary>
    InFlightLimit = 18,

    /// <summary>A receive quota is used up.</summary>
    OverQuota = 19,

    /// <summary>Only the client that holds the exclusive group is given it.</summary>
    Exclusive = 20,

    /// <summary>No client of the group has its lite topic in its set.</summary>
    NotAskedFor = 21,

    /// <summary>Another message of its key is in flight.</summary>
    KeyInFlight = 22,

    /// <summary>No consumer that asks at present wants it.</summary>
    Unwanted = 23,

    /// <summary>Handed out once and finished with that, as the group wants.</summary>
    DeliveredOnce = 24,
}

/// <summary>Where a message itself is.</summary>
public enum MessageState
{
    /// <summary>In its queue: each group has a standing of its own.</summary>
    InQueue = 1,

    /// <summary>It waits for its delivery time.</summary>
    Delayed = 2,

    /// <summary>It waited for its delivery time and was taken back.</summary>
    Recalled = 3,

    /// <summary>Half a message: its producer has not decided its transaction.</summary>
    Undecided = 4,

    /// <summary>Its transaction was rolled back.</summary>
    RolledBack = 5,

    /// <summary>Nobody decided its transaction while its checks lasted.</summary>
    TransactionGivenUp = 6,

    /// <summary>Its record is in the log and had no effect: a repeat of a message, or refused when it was applied.</summary>
    NotKept = 7,

    /// <summary>Retention, a purge or the end of its lite topic took it out of its queue.</summary>
    Gone = 8,

    /// <summary>It waits no more, and the history that was read does not tell what became of it.</summary>
    Unknown = 9,
}

/// <summary>What happened to a message.</summary>
public enum TraceEventKind
{
    Stored = 1,
    Delivered = 2,
    FilteredOut = 3,
    Acknowledged = 4,

    /// <summary>An acknowledgement, change or move by a handle that was no longer valid.</summary>
    LateAnswer = 5,

    /// <summary>A consumer asked for another delivery.</summary>
    RetryAsked = 6,

    /// <summary>Nobody acknowledged in time; it became visible again, or ran out of attempts.</summary>
    Expired = 7,
    DeadLettered = 8,
    GivenUp = 9,
    SentAgain = 10,

    /// <summary>An operator had it delivered to the group again.</summary>
    Replayed = 11,

    /// <summary>Finished without delivery: the group had processed another message of its key.</summary>
    Deduplicated = 12,

    /// <summary>Finished without delivery: its time to live was over.</summary>
    LivedTooLong = 13,

    /// <summary>An operator, or a client that commits offsets, moved the group behind it.</summary>
    SetBehind = 14,

    /// <summary>It was taken back before its delivery time.</summary>
    Recalled = 15,

    /// <summary>It got another delivery time.</summary>
    Rescheduled = 16,

    /// <summary>A producer was asked about its transaction.</summary>
    Checked = 17,

    /// <summary>Its transaction was decided.</summary>
    Decided = 18,
}

/// <summary>One thing that happened, as the log has it.</summary>
/// <param name="Kind">What.</param>
/// <param name="Microseconds">Log time, microseconds since 1970 (UTC).</param>
/// <param name="Position">Of the record.</param>
/// <param name="Group">For whom; empty: for all.</param>
/// <param name="Attempt">Which delivery; 0: none.</param>
/// <param name="Client">Who; empty when nobody or not known.</param>
/// <param name="UntilMicroseconds">Until when it is invisible; 0: does not apply.</param>
/// <param name="Sentence">The same for people.</param>
public sealed record TraceEvent(
    TraceEventKind Kind,
    long Microseconds,
    LogPosition Position,
    string Group,
    int Attempt,
    string Client,
    long UntilMicroseconds,
    string Sentence);

/// <summary>Where a message stands for one group now.</summary>
/// <param name="Group">The group.</param>
/// <param name="State">What it is.</param>
/// <param name="Attempts">Deliveries so far that count.</param>
/// <param name="UntilMicroseconds">When that changes by itself; 0: it does not.</param>
/// <param name="Client">Who has it; empty when nobody.</param>
/// <param name="MessagesAhead">Messages before it that the group has not finished.</param>
/// <param name="Sentence">The same for people, with what to do about it.</param>
public sealed record GroupTrace(
    string Group,
    TraceState State,
    int Attempts,
    long UntilMicroseconds,
    string Client,
    long MessagesAhead,
    string Sentence);

/// <summary>Why a message was delivered, or not.</summary>
public sealed record MessageTrace
{
    /// <summary>Why there is no answer; null otherwise.</summary>
    public BrokerFailure? Failure { get; init; }

    /// <summary>The newest message that fits; its body is not part of the answer. Its offset is -1 when it is in no queue.</summary>
    public DeliveredMessage? Message { get; init; }

    /// <summary>Where it is.</summary>
    public MessageState State { get; init; }

    /// <summary>The same for people.</summary>
    public string Sentence { get; init; } = "";

    /// <summary>Other messages of the topic have the same id.</summary>
    public bool HasOthers { get; init; }

    /// <summary>By name.</summary>
    public IReadOnlyList<GroupTrace> Groups { get; init; } = [];

    /// <summary>In the order of the log.</summary>
    public IReadOnlyList<TraceEvent> History { get; init; } = [];

    /// <summary>Up to where the log was read; the next call may go on there.</summary>
    public LogPosition HistoryEnd { get; init; }

    /// <summary>Whether that is all; false: it was cut off by the bound, or could not be read.</summary>
    public bool IsHistoryComplete { get; init; }

    /// <summary>What the key index does not know.</summary>
    public IReadOnlyList<PositionRange> Gaps { get; init; } = [];

    public static MessageTrace Of(BrokerFailure failure) => new() { Failure = failure };
}
