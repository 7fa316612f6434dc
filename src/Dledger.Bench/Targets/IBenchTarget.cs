namespace Dledger.Bench.Targets;

/// <summary>A system that is measured: Dledger over one of its services, or another broker beside it.</summary>
/// <remarks>
/// Topics are numbers here, from 0; the target finds names for them, and never touches what it did not make. It holds the connections
/// that its producers and consumers share, if they do.
/// </remarks>
public interface IBenchTarget : IAsyncDisposable
{
    /// <summary>As it stands in tables, such as <c>dledger v2</c>.</summary>
    string Name { get; }

    /// <summary>What is true when a send has been acknowledged.</summary>
    AckPromise Ack { get; }

    /// <summary>What it can do besides sending.</summary>
    BenchAbilities Abilities { get; }

    /// <summary>Most messages of one send; 1 where there are no batches.</summary>
    int SendCountMax { get; }

    /// <summary>Most messages of one receive.</summary>
    int ReceiveCountMax { get; }

    /// <summary>Makes what is missing of the layout; called again with more, it keeps what is there.</summary>
    Task PrepareAsync(BenchLayout layout, CancellationToken cancellationToken);

    /// <summary>Deletes everything that it made. Producers and consumers are closed before.</summary>
    Task DestroyAsync(CancellationToken cancellationToken);

    /// <summary>A producer for all topics.</summary>
    Task<IBenchProducer> OpenProducerAsync(CancellationToken cancellationToken);

    /// <summary>
    /// A member of a group, from 0, for one topic. Each group gets every message that was sent since it was made. Only called with
    /// <see cref="BenchAbilities.Groups"/>.
    /// </summary>
    Task<IBenchConsumer> OpenConsumerAsync(int topic, int group, CancellationToken cancellationToken);

    /// <summary>
    /// A reader without a group, from the first message on: its acknowledgements do nothing. Only called with
    /// <see cref="BenchAbilities.PlainRead"/>.
    /// </summary>
    Task<IBenchConsumer> OpenReaderAsync(int topic, CancellationToken cancellationToken);
}
