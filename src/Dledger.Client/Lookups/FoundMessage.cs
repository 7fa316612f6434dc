namespace Dledger.Client.Lookups;

/// <summary>A stored message that was looked up, not received.</summary>
public sealed record FoundMessage
{
    public required string Topic { get; init; }

    public required string MessageId { get; init; }

    public required int QueueId { get; init; }

    public required long Offset { get; init; }

    /// <summary>Of its record in the log.</summary>
    public required long LogPosition { get; init; }

    public required DateTimeOffset StoreTime { get; init; }

    public required DateTimeOffset BornTime { get; init; }

    public required string BornHost { get; init; }

    /// <summary>Null without one.</summary>
    public string? Tag { get; init; }

    public IReadOnlyList<string> Keys { get; init; } = [];

    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    /// <summary>Null without one.</summary>
    public string? MessageGroup { get; init; }

    /// <summary>Unpacked; empty where it was not asked for.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Bytes of the body as it is stored.</summary>
    public required long BodyBytes { get; init; }

    /// <summary>Only of dead letters.</summary>
    public FoundOrigin? Origin { get; init; }
}

/// <summary>Where a dead letter came from, and why it is one.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="MessageId">The id there.</param>
/// <param name="QueueId">-1: not known.</param>
/// <param name="Offset">In that queue.</param>
/// <param name="Attempts">How often the group was given it.</param>
/// <param name="Reason">A word for programs: attemptsUsedUp, askedByConsumer, droppedByOperator, timeToLiveOver.</param>
public sealed record FoundOrigin(string Topic, string MessageId, int QueueId, long Offset, int Attempts, string Reason)
{
    /// <summary>When the message was stored; null: not known.</summary>
    public DateTimeOffset? StoreTime { get; init; }

    /// <summary>Which client of a broadcast group gave it up; null in other groups.</summary>
    public string? ClientId { get; init; }
}

/// <summary>What was found.</summary>
/// <param name="Messages">Newest first by id or key, ascending by offset.</param>
/// <param name="HasMore">There are more.</param>
/// <param name="NotSearched">Log positions that the cluster could not search at present; empty: all was searched.</param>
public sealed record FoundMessages(
    IReadOnlyList<FoundMessage> Messages, bool HasMore, IReadOnlyList<(long Start, long End)> NotSearched);

/// <summary>What became of a message for one group.</summary>
/// <param name="Group">The group.</param>
/// <param name="State">A word for programs, such as <c>inFlight</c>.</param>
/// <param name="Attempts">Deliveries that count.</param>
/// <param name="Until">When that changes by itself; null: it does not.</param>
/// <param name="Client">Who has it; empty when nobody.</param>
/// <param name="MessagesAhead">Messages of its queue before it that are not finished.</param>
/// <param name="Sentence">The same for people.</param>
public sealed record GroupExplanation(
    string Group, string State, int Attempts, DateTimeOffset? Until, string Client, long MessagesAhead, string Sentence);

/// <summary>One thing that happened to a message.</summary>
public sealed record ExplainedEvent(
    string Kind, DateTimeOffset? Time, long LogPosition, string Group, int Attempt, string Client, DateTimeOffset? Until, string Sentence);

/// <summary>Why a message was delivered, or not.</summary>
/// <param name="Message">The message, without body; its offset is -1 when it is in no queue.</param>
/// <param name="State">A word for programs on where it is, such as <c>inQueue</c> or <c>delayed</c>.</param>
/// <param name="Sentence">The same for people.</param>
/// <param name="HasOthers">Other messages have the same id.</param>
/// <param name="Groups">By name.</param>
/// <param name="History">In the order of the log.</param>
/// <param name="HistoryEnd">Where the history may go on.</param>
/// <param name="IsHistoryComplete">Whether that is all.</param>
public sealed record Explanation(
    FoundMessage Message,
    string State,
    string Sentence,
    bool HasOthers,
    IReadOnlyList<GroupExplanation> Groups,
    IReadOnlyList<ExplainedEvent> History,
    long HistoryEnd,
    bool IsHistoryComplete);

/// <summary>Dead letters of a group that came from one topic.</summary>
public sealed record DeadLetterCount(
    string Group, string OriginTopic, long Count, long ResentCount, DateTimeOffset? Oldest, DateTimeOffset? Newest);

/// <summary>A dead letter.</summary>
public sealed record FoundDeadLetter(FoundMessage Message, bool IsResent);

/// <summary>What became of a letter that was to be sent again.</summary>
/// <param name="QueueId">Of the letter.</param>
/// <param name="Offset">Of the letter.</param>
/// <param name="IsSent">It was sent now.</param>
/// <param name="WasSentBefore">It had been sent before, and was not sent now.</param>
/// <param name="Problem">Why it was not sent; empty when it was.</param>
public sealed record ResendResult(int QueueId, long Offset, bool IsSent, bool WasSentBefore, string Problem);
