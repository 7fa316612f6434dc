namespace Dledger.Storage.Records;

/// <summary>Which optional words follow a record's header, and two properties of the record. Persisted.</summary>
[Flags]
public enum RecordFlags : byte
{
    None = 0,

    /// <summary>An 8-byte delivery time follows.</summary>
    DeliverAt = 1,

    /// <summary>An 8-byte hash of the message group follows.</summary>
    GroupHash = 2,

    /// <summary>An 8-byte log position of the half message follows.</summary>
    TransactionReference = 4,

    /// <summary>A 16-byte hash of the message id follows.</summary>
    MessageIdHash = 8,

    /// <summary>The body is compressed.</summary>
    BodyCompressed = 16,

    /// <summary>The record replaces an older one that was moved forward in the log.</summary>
    Replaces = 32,
}
