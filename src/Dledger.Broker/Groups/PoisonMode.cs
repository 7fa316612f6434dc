namespace Dledger.Broker.Groups;

/// <summary>What becomes of a message that was delivered as often as its group allows. Persisted numbers.</summary>
public enum PoisonMode : byte
{
    /// <summary>It moves to the dead letter topic, and its message group goes on.</summary>
    DeadLetter = 0,

    /// <summary>It is tried for ever, with the last step of the back-off; in an ordered group its message group waits.</summary>
    Block = 1,

    /// <summary>
    /// It is set aside until an operator releases or drops it; in an ordered group all that follows it in its message group waits behind.
    /// </summary>
    Park = 2,
}
