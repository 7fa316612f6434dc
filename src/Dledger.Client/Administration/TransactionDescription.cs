using System.Text.Json.Serialization;

namespace Dledger.Client.Administration;

/// <summary>A transaction that is open or was discarded.</summary>
/// <param name="TransactionId">The text that its producer knows.</param>
/// <param name="Topic">Where its messages belong.</param>
/// <param name="MessageId">The producer's id of its first message.</param>
/// <param name="MessageCount">They are visible together or never.</param>
/// <param name="StoredAt">When they were stored.</param>
/// <param name="Checks">How often its producers were asked.</param>
/// <param name="State">Open, or why it was discarded.</param>
/// <param name="DecidedBy">Nobody while it is open, and when the broker's own rule gave it up.</param>
public sealed record TransactionDescription(
    string TransactionId,
    string Topic,
    string MessageId,
    int MessageCount,
    DateTimeOffset StoredAt,
    int Checks,
    TransactionState State,
    TransactionDecider DecidedBy)
{
    /// <summary>Null unless it is open.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? NextCheckAt { get; init; }

    /// <summary>Null while it is open.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? DecidedAt { get; init; }
}

/// <summary>How a transaction stands; the numbers are those of the wire.</summary>
public enum TransactionState
{
    /// <summary>Of a later version.</summary>
    Unknown = 0,
    Open = 1,
    RolledBack = 2,
    ChecksUsedUp = 3,
    Forgotten = 4,
}

/// <summary>Who decided a transaction; the numbers are those of the wire.</summary>
public enum TransactionDecider
{
    Nobody = 0,
    Producer = 1,
    Webhook = 2,
    Operator = 3,
}

/// <summary>A message of a transaction.</summary>
/// <param name="MessageId">The producer's.</param>
/// <param name="Tag">Null without one.</param>
/// <param name="Keys">Business keys.</param>
/// <param name="Properties">The user's.</param>
/// <param name="Body">As it was sent.</param>
public sealed record TransactionMessage(
    string MessageId, string? Tag, IReadOnlyList<string> Keys, IReadOnlyDictionary<string, string> Properties, byte[] Body);

/// <summary>When producers of a topic are asked about messages that they did not decide.</summary>
/// <param name="FirstCheck">Age of a message at its first check.</param>
/// <param name="Interval">Time between two.</param>
/// <param name="CountMax">Checks after which a message is given up.</param>
/// <param name="WebhookUrl">Who is asked while no producer is connected; empty: nobody.</param>
public sealed record TransactionCheckDescription(TimeSpan FirstCheck, TimeSpan Interval, int CountMax, string WebhookUrl);

/// <summary>What shall be different about the checks of a topic; null leaves a thing as it is.</summary>
/// <param name="Topic">The topic.</param>
public sealed record TransactionCheckAlteration(string Topic)
{
    public TimeSpan? FirstCheck { get; init; }

    public TimeSpan? Interval { get; init; }

    public int? CountMax { get; init; }

    /// <summary>Empty takes it away.</summary>
    public string? WebhookUrl { get; init; }

    /// <summary>With every address that is not empty.</summary>
    public string WebhookSecret { get; init; } = "";
}
