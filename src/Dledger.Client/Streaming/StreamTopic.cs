namespace Dledger.Client.Streaming;

/// <summary>What a producer knows of a topic. Changed by its sender only.</summary>
internal sealed class StreamTopic(string name, uint handle)
{
    private int _nextQueue = -1;

    public string Name { get; } = name;

    /// <summary>Names it on a stream.</summary>
    public uint Handle { get; } = handle;

    /// <summary>Whether the present stream has it open.</summary>
    public bool IsOpen { get; set; }

    public int Id { get; set; }

    /// <summary>0 before it was opened first.</summary>
    public int QueueCount { get; set; }

    public bool WantsIdHash { get; set; }

    public bool ServerChoosesQueue { get; set; }

    /// <summary>The node takes batches that are compressed as the producer wants.</summary>
    public bool TakesCompressed { get; set; }

    /// <summary>Number of the last message that was given one.</summary>
    public int LastSequence { get; set; }

    /// <summary>Queues in turn, for messages without order.</summary>
    public int NextQueue()
    {
        _nextQueue = (_nextQueue + 1) % QueueCount;
        return _nextQueue;
    }
}
