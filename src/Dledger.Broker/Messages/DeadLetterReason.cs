namespace Dledger.Broker.Messages;

/// <summary>Why a message is a dead letter. Persisted numbers.</summary>
public enum DeadLetterReason : byte
{
    /// <summary>It was delivered as often as its group allows.</summary>
    MaxAttempts = 1,

    /// <summary>A receiver asked for it.</summary>
    AskedByReceiver = 2,

    /// <summary>It was parked, and an operator dropped it.</summary>
    DroppedByOperator = 3,

    /// <summary>Its time to live was over before it was delivered.</summary>
    Expired = 4,
}
