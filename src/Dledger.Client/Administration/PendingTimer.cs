namespace Dledger.Client.Administration;

/// <summary>A delayed message that waits for its delivery time.</summary>
/// <param name="MessageId">Names it; empty while its record cannot be read.</param>
/// <param name="DeliverAt">When it is delivered.</param>
/// <param name="RecallHandle">Takes it back.</param>
public sealed record PendingTimer(string MessageId, DateTimeOffset DeliverAt, string RecallHandle)
{
    public IReadOnlyList<string> Keys { get; init; } = [];

    public string? Tag { get; init; }

    public DateTimeOffset StoredAt { get; init; }

    public int BodyBytes { get; init; }

    /// <summary>Its record cannot be read at present.</summary>
    public bool IsUnreadable { get; init; }
}

/// <summary>A page of them.</summary>
/// <param name="Timers">In the order of their delivery.</param>
/// <param name="NextPage">Where to go on; null: that was all. A page may be empty and not the last.</param>
/// <param name="PendingCount">How many messages of the topic wait in all.</param>
/// <param name="ChangedCount">How many were taken back or moved.</param>
public sealed record PendingTimerPage(
    IReadOnlyList<PendingTimer> Timers, string? NextPage, long PendingCount, int ChangedCount);

/// <summary>Which waiting messages are meant: those of a topic that meet all conditions that are set.</summary>
/// <param name="Topic">Their topic.</param>
public sealed record PendingTimerSelection(string Topic)
{
    /// <summary>A business key that the message bears.</summary>
    public string? Key { get; init; }

    public string? MessageId { get; init; }

    /// <summary>Delivery time from here on.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Delivery time before this.</summary>
    public DateTimeOffset? Until { get; init; }
}
