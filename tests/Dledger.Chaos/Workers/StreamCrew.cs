using Dledger.Client.Connections;
using Dledger.Client.Streaming;

namespace Dledger.Chaos.Workers;

/// <summary>
/// The clients of streams in a run: producers that compress, one of which several senders share, one consumer in a group of others, one
/// reader per queue. Batches too small to be compressed go as they are.
/// </summary>
internal sealed class StreamCrew : IAsyncDisposable
{
    private const string Group = "billing";

    // Of each sender.
    private static readonly BatchCompression[] Compressions = [BatchCompression.Lz4, BatchCompression.Lz4, BatchCompression.Zlib];

    // Half of what an operation may take: then there is time to say that nobody knows.
    private static readonly TimeSpan RetryTimeMax = Workload.OperationTimeMax / 2;

    private readonly DledgerChannel _channel;
    private readonly Dictionary<BatchCompression, StreamProducer> _producers;
    private readonly StreamedConsumer _consumer;
    private readonly List<StreamedReader> _readers = [];
    private readonly List<StreamedSender> _senders = [];

    public StreamCrew(Workload workload, Pace pace)
    {
        _channel = new DledgerChannel(new DledgerChannelOptions
        {
            Addresses = [.. workload.Cluster.Nodes.Select(node => node.Place.Address)],
            ClientId = "chaos-streams",
            RequestTimeout = Workload.AttemptTimeMax,
            RetryTimeout = RetryTimeMax,
        });
        _producers = Compressions.Distinct().ToDictionary(
            compression => compression,
            compression => new StreamProducer(_channel, new StreamProducerOptions { Compression = compression }));
        _consumer = new StreamedConsumer(workload, Group, "t0", _channel);
        foreach (var compression in Compressions)
        {
            _senders.Add(new StreamedSender(workload, pace, $"s{_senders.Count}", _producers[compression]));
        }

        for (var queue = 0; queue < Workload.QueueCount; queue++)
        {
            _readers.Add(new StreamedReader(workload, $"r{queue}", queue, _channel));
        }
    }

    /// <summary>Those that send, until their pace is over.</summary>
    public IEnumerable<Task> Send() => _senders.Select(sender => sender.RunAsync());

    /// <summary>Those that read, until they are told to end.</summary>
    public IEnumerable<Task> Read(CancellationToken cancellationToken) =>
        _readers.Select(reader => reader.RunAsync(cancellationToken)).Append(_consumer.RunAsync(cancellationToken));

    public async ValueTask DisposeAsync()
    {
        foreach (var producer in _producers.Values)
        {
            await producer.DisposeAsync();
        }

        await _consumer.DisposeAsync();
        foreach (var reader in _readers)
        {
            await reader.DisposeAsync();
        }

        await _channel.DisposeAsync();
    }
}
