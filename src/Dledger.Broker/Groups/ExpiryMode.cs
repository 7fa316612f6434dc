namespace Dledger.Broker.Groups;

/// <summary>What becomes of a message whose time to live is over before it was delivered. Persisted numbers.</summary>
public enum ExpiryMode : byte
{
    /// <summary>It is finished for the group.</summary>
    Drop = 0,

    /// <summary>It moves to the dead letter topic.</summary>
    DeadLetter = 1,
}
