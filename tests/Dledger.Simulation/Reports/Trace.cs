using System.Globalization;

namespace Dledger.Simulation.Reports;

/// <summary>What happened in a run, as lines for a reader and as one hash for comparing two runs.</summary>
internal sealed class Trace(TextWriter? output)
{
    private readonly TextWriter? _output = output;

    /// <summary>Equal for equal runs: covers the moment and node of every step and the kind of every effect.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    public bool IsOn => _output is not null;

    public void Mix(long value)
    {
        Hash = (Hash ^ (ulong)value) * 1099511628211;
        Hash ^= Hash >> 29;
    }

    /// <summary>Writes a line; callers build it only while <see cref="IsOn"/>.</summary>
    public void Line(long now, int node, string text) =>
        _output?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{now / 1000.0,12:F3} ms  {(node == 0 ? "  " : "n" + node)}  {text}"));
}
