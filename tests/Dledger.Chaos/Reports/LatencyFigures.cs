namespace Dledger.Chaos.Reports;

/// <summary>How long calls took, in milliseconds. A call that failed counts with the time until it did.</summary>
internal readonly record struct LatencyFigures(int Count, int Failed, double P50, double P99, double Max)
{
    public static LatencyFigures Of(IEnumerable<double> milliseconds, int failed)
    {
        var sorted = milliseconds.Order().ToArray();
        return sorted.Length == 0
            ? default
            : new LatencyFigures(sorted.Length, failed, At(sorted, 0.5), At(sorted, 0.99), sorted[^1]);
    }

    public override string ToString() =>
        $"{P50:0.0} / {P99:0.0} / {Max:0.0}" + (Failed > 0 ? $" ({Failed} of {Count} failed)" : "");

    // The smallest value that is not exceeded by the given part of the values.
    private static double At(double[] sorted, double part) =>
        sorted[Math.Max(0, (int)Math.Ceiling(part * sorted.Length) - 1)];
}
