using Dledger.Bench.Workloads;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>One workload that all systems run, and the figures by which they are compared.</summary>
internal sealed record ContestRow
{
    private const int ReceiveCount = 32;
    private const double EndToEndRate = 1_000;
    private const int EndToEndInFlight = 64;
    private const long ConsumedMin = 20_000;
    private const long ConsumedMax = 1_000_000;

    /// <summary>For the command line.</summary>
    public required string Key { get; init; }

    /// <summary>For tables.</summary>
    public required string Title { get; init; }

    public required IBenchWorkload Workload { get; init; }

    public required IReadOnlyList<Figure> Figures { get; init; }

    /// <summary>Sends at the same time.</summary>
    public int InFlight { get; init; } = 1;

    /// <summary>Messages of one send.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Messages a second; null: as many as go.</summary>
    public double? Rate { get; init; }

    /// <summary>The load of the workload that is measured, counted from 0.</summary>
    public int Load { get; init; }

    /// <summary>It reads what it has written before, and so may take twice as long.</summary>
    public bool IsFilled { get; init; }

    public static IReadOnlyList<ContestRow> All { get; } =
    [
        Produce(1, [Figure.Rate, Figure.P50, Figure.P99, Figure.Cpu]),
        Produce(16, [Figure.Rate, Figure.P50, Figure.P99, Figure.Cpu]),
        Produce(64, [Figure.Rate, Figure.P50, Figure.P99, Figure.Cpu]),
        Produce(256, [Figure.Rate, Figure.P50, Figure.P99, Figure.Cpu]),
        new ContestRow
        {
            Key = "batch-100",
            Title = "produce, batches of 100, 4 in flight",
            Workload = new ProduceWorkload(),
            InFlight = 4,
            Batch = 100,
            Figures = [Figure.Rate, Figure.P50, Figure.P99, Figure.Cpu],
        },
        new ContestRow
        {
            Key = "consume",
            Title = "consume and ack, by up to 32",
            Workload = new ConsumeWorkload(isPlainRead: false),
            IsFilled = true,
            Figures = [Figure.Rate, Figure.Cpu],
        },
        new ContestRow
        {
            Key = "end-to-end",
            Title = "end to end at 1,000 msg/s",
            Workload = new EndToEndWorkload(),
            InFlight = EndToEndInFlight,
            Rate = EndToEndRate,
            Load = 1,
            Figures = [Figure.P50, Figure.P99, Figure.P999, Figure.Cpu],
        },
    ];

    /// <param name="options">Of the comparison.</param>
    /// <param name="messagesPerSecond">The best rate at which this system wrote so far in this turn; it reads what it could write.</param>
    public WorkloadOptions WorkloadOptions(ComparisonOptions options, double messagesPerSecond) => new()
    {
        InFlight = InFlight,
        Batch = Batch,
        BodyBytes = options.BodyBytes,
        Rate = Rate,
        ReceiveCount = ReceiveCount,
        WarmUp = options.WarmUp,
        Duration = options.Duration,
        // The rate says when it is over, and the time that was set is the most that it may take.
        Messages = (long)Math.Clamp(messagesPerSecond * options.Duration.TotalSeconds, ConsumedMin, ConsumedMax),
        ReadTimeMax = options.Duration + TimeSpan.FromSeconds(60),
    };

    private static ContestRow Produce(int inFlight, IReadOnlyList<Figure> figures) => new()
    {
        Key = $"produce-{inFlight}",
        Title = $"produce, {inFlight} in flight",
        Workload = new ProduceWorkload(),
        InFlight = inFlight,
        Figures = figures,
    };
}
