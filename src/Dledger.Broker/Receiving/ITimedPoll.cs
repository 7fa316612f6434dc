namespace Dledger.Broker.Receiving;

/// <summary>Something that waits for messages, and not for ever.</summary>
internal interface ITimedPoll
{
    /// <summary>Its time is up. Any thread.</summary>
    void GiveUp();
}
