using Dledger.Bench.Machines;
using Dledger.Bench.Measuring;
using Dledger.Bench.Running;
using Dledger.Bench.Targets;

namespace Dledger.Bench.Workloads;

/// <summary>One run of one workload against one target: opens what it needs, runs its phases, keeps their results.</summary>
public sealed class WorkloadRun : IAsyncDisposable
{
    private const int FillInFlight = 16;
    private const int FillBatch = 128;
    private const int FillBytesMax = 1 << 20;
    private static readonly TimeSpan FillTimeMax = TimeSpan.FromHours(1);

    private readonly BenchRun _run;
    private readonly IReadOnlyList<int> _nodes;
    private readonly List<IAsyncDisposable> _consumers = [];
    private readonly List<PhaseResult> _phases = [];
    private readonly SortedDictionary<string, double> _ratios = new(StringComparer.Ordinal);
    private readonly List<string> _notes = [];
    private IReadOnlyList<IBenchProducer>? _producers;

    /// <param name="run">Runs the phases.</param>
    /// <param name="target">What is measured.</param>
    /// <param name="options">How.</param>
    /// <param name="nodes">Processes of the measured system on this machine.</param>
    public WorkloadRun(BenchRun run, IBenchTarget target, WorkloadOptions options, IReadOnlyList<int> nodes)
    {
        (_run, Target, Options, _nodes) = (run, target, options, nodes);
        Number = (uint)Random.Shared.NextInt64(1, uint.MaxValue);
    }

    public IBenchTarget Target { get; }

    public WorkloadOptions Options { get; }

    /// <summary>By which the messages of this run are known.</summary>
    public uint Number { get; }

    /// <summary>Removes what was written from the page cache, where it can, and says how; null: nobody can.</summary>
    public Func<string>? MakeCold { get; init; }

    /// <summary>Finished phases, those of the preparation left out.</summary>
    public IReadOnlyList<PhaseResult> Phases => _phases;

    /// <summary>Comparisons between phases, by name.</summary>
    public IReadOnlyDictionary<string, double> Ratios => _ratios;

    /// <summary>What a reader of the figures has to know.</summary>
    public IReadOnlyList<string> Notes => _notes;

    public void AddRatio(string name, double value) => _ratios[name] = value;

    public void AddNote(string text) => _notes.Add(text);

    /// <summary>Closes producers and consumers; the target stays open.</summary>
    public async ValueTask DisposeAsync()
    {
        await CloseConsumersAsync();
        foreach (var producer in _producers ?? [])
        {
            await producer.DisposeAsync();
        }
    }

    /// <summary>
    /// Closes the consumers of earlier phases: those that messages are pushed to would take what is written for later ones.
    /// </summary>
    public async Task CloseConsumersAsync()
    {
        foreach (var consumer in _consumers)
        {
            await consumer.DisposeAsync();
        }

        _consumers.Clear();
    }

    /// <summary>The shape of a load that sends as the options say.</summary>
    public ProduceShape ProduceShape => new()
    {
        InFlight = Options.InFlight,
        BatchCount = Options.Batch,
        BodyBytes = Options.BodyBytes,
        Repetition = Options.Repetition,
        TopicCount = Options.Topics,
        Rate = Options.Rate,
    };

    /// <summary>A load that sends.</summary>
    public async Task<ProduceLoad> ProduceAsync(string name, ProduceShape shape, CancellationToken cancellationToken)
    {
        if (_producers is null)
        {
            var producers = new List<IBenchProducer>();
            _producers = producers;
            while (producers.Count < Options.Producers)
            {
                producers.Add(await Target.OpenProducerAsync(cancellationToken));
            }
        }

        return new ProduceLoad(name, _run.Clock, shape, _producers, Number);
    }

    /// <summary>A load that receives for one group: consumers of the options' number, the topics in turn.</summary>
    public async Task<ConsumeLoad> ConsumeAsync(string name, int group, ConsumeShape shape, CancellationToken cancellationToken)
    {
        var consumers = await OpenAsync(
            Options.Consumers, index => Target.OpenConsumerAsync(index % Options.Topics, group, cancellationToken));
        return new ConsumeLoad(name, _run.Clock, shape, consumers, Number);
    }

    /// <summary>A load that reads without a group: each consumer all of a topic.</summary>
    public async Task<ConsumeLoad> ReadAsync(string name, ConsumeShape shape, CancellationToken cancellationToken)
    {
        var readers = await OpenAsync(
            Options.Consumers, index => Target.OpenReaderAsync(index % Options.Topics, cancellationToken));
        return new ConsumeLoad(name, _run.Clock, shape, readers, Number);
    }

    /// <summary>Messages of one receive, as far as the target gives them.</summary>
    public int ReceiveCount => Math.Min(Options.ReceiveCount, Target.ReceiveCountMax);

    /// <summary>Runs a phase whose figures are wanted.</summary>
    /// <exception cref="OperationCanceledException">After the results so far were kept.</exception>
    public async Task<PhaseResult> MeasureAsync(BenchPhase phase, CancellationToken cancellationToken)
    {
        NeighbourLoad? neighbours = null;
        NodeUsage? before = null;
        var generator = TimeSpan.Zero;
        var loads = await _run.RunAsync(
            phase,
            () =>
            {
                neighbours = NeighbourLoad.Start(_nodes);
                before = NodeUsage.Sample(_nodes);
                generator = Environment.CpuUsage.TotalTime;
            },
            cancellationToken);
        var (others, stolen) = neighbours!.Cores();
        var result = new PhaseResult(
            phase.Name, loads, others, stolen, _nodes.Count == 0 ? null : NodeUsage.Sample(_nodes).Since(before!))
        {
            GeneratorCpuSeconds = (Environment.CpuUsage.TotalTime - generator).TotalSeconds,
        };
        _phases.Add(result);
        cancellationToken.ThrowIfCancellationRequested();
        return result;
    }

    /// <summary>Runs a phase that prepares another one.</summary>
    /// <exception cref="BenchPreparationException">Nothing could be done.</exception>
    public async Task<LoadResult> PrepareAsync(BenchPhase phase, CancellationToken cancellationToken)
    {
        var results = await _run.RunAsync(phase, null, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        return results[0].Messages > 0 ? results[0] : throw new BenchPreparationException(phase.Name, results[0]);
    }

    /// <summary>Writes messages as fast as it goes, in batches where the target has them.</summary>
    /// <returns>How many are there.</returns>
    public async Task<long> FillAsync(long messages, int topicCount, CancellationToken cancellationToken)
    {
        var batch = (int)Math.Min(messages, Math.Min(Target.SendCountMax, Math.Clamp(FillBytesMax / Options.BodyBytes, 1, FillBatch)));
        var fill = await ProduceAsync(
            "fill",
            new ProduceShape
            {
                InFlight = FillInFlight,
                BatchCount = batch,
                BodyBytes = Options.BodyBytes,
                Repetition = Options.Repetition,
                TopicCount = topicCount,
                MessagesMax = messages,
            },
            cancellationToken);
        await PrepareAsync(new BenchPhase("fill", TimeSpan.Zero, FillTimeMax, [fill]), cancellationToken);
        return fill.Acknowledged;
    }

    private async Task<IReadOnlyList<IBenchConsumer>> OpenAsync(int count, Func<int, Task<IBenchConsumer>> open)
    {
        var all = new List<IBenchConsumer>(count);
        for (var i = 0; i < count; i++)
        {
            all.Add(await open(i));
            _consumers.Add(all[^1]);
        }

        return all;
    }
}
