namespace Dledger.Benchmarks.Comparisons;

/// <summary>A number by which systems are compared.</summary>
/// <param name="Unit">As it stands in tables.</param>
/// <param name="MoreIsBetter">Of two values the larger is the better one.</param>
/// <param name="Decimals">Shown behind the point.</param>
/// <param name="Of">The value in a measurement; null when it is not known.</param>
internal sealed record Figure(string Unit, bool MoreIsBetter, int Decimals, Func<Measurement, double?> Of)
{
    private const double BytesPerMebibyte = 1 << 20;

    public static Figure Rate { get; } = new("msg/s", true, 0, run => run.MessagesPerSecond);

    public static Figure P50 { get; } = new("p50 ms", false, 2, run => run.P50);

    public static Figure P99 { get; } = new("p99 ms", false, 2, run => run.P99);

    public static Figure P999 { get; } = new("p99.9 ms", false, 2, run => run.P999);

    /// <summary>Of all nodes.</summary>
    public static Figure Cpu { get; } = new("server CPU s / M msg", false, 1, run => run.CpuSecondsPerMillion);

    /// <summary>Of the largest node.</summary>
    public static Figure Memory { get; } = new("MiB a node", false, 0, run => run.MemoryBytes / BytesPerMebibyte);

    /// <summary>Of all nodes, in hundredths of one core.</summary>
    public static Figure IdleCpu { get; } = new("% of a core, 3 nodes", false, 1, run => run.CpuSecondsPerSecond * 100)
    {
        // One tick of the kernel's clock in the time that is measured.
        Floor = 0.2,
    };

    /// <summary>
    /// Below this two values cannot be told apart, and a ratio takes it in their place: a peer that uses next to nothing is ahead, too.
    /// </summary>
    public double Floor { get; init; }

    /// <summary>How many times better one value is than another; above 1: better, below: worse. Null when that cannot be said.</summary>
    public double? Ratio(double? value, double? other)
    {
        if (value is not { } ours || other is not { } theirs)
        {
            return null;
        }

        var (a, b) = (Math.Max(ours, Floor), Math.Max(theirs, Floor));
        return a > 0 && b > 0 ? MoreIsBetter ? a / b : b / a : null;
    }
}
