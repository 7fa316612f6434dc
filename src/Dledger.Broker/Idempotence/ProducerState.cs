namespace Dledger.Broker.Idempotence;

/// <summary>A producer that numbers its messages. Replicated state, owned by the apply loop.</summary>
internal sealed class ProducerState(long id, string name, int epoch)
{
    /// <summary>Position of the record that made it.</summary>
    public long Id { get; } = id;

    /// <summary>Empty for one that nobody else can take over.</summary>
    public string Name { get; } = name;

    /// <summary>Who initialises a named producer again has the next one and fences the former.</summary>
    public int Epoch { get; set; } = epoch;

    /// <summary>Log time without use after which it is forgotten, microseconds.</summary>
    public required long ExpiryMicroseconds { get; set; }

    /// <summary>Log time of its newest record.</summary>
    public long UsedAt { get; set; }

    /// <summary>By topic id.</summary>
    public SortedDictionary<int, TopicSequence> Topics { get; } = [];
}
