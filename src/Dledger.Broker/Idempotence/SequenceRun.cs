namespace Dledger.Broker.Idempotence;

/// <summary>Messages that a producer sent one after another and that lie so in one queue: what a repeat is answered with.</summary>
internal readonly record struct SequenceRun(int First, int Count, int QueueId, long FirstOffset, long Position, long StoreTime)
{
    /// <summary>Number of the last message.</summary>
    public int Last => First + Count - 1;
}
