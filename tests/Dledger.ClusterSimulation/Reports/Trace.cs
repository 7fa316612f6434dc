using System.Globalization;
using Dledger.ClusterSimulation.Nodes;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Reports;

/// <summary>What happened in a run: lines for a reader, and one hash for comparing two runs.</summary>
internal sealed class Trace(EventQueue events, TextWriter? output)
{
    /// <summary>Equal for equal runs: covers every turn of every loop and every answer to a client.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    /// <summary>Callers that build costly lines ask first.</summary>
    public bool IsOn => output is not null;

    public void Mix(params ReadOnlySpan<long> values)
    {
        foreach (var value in values)
        {
            Hash = (Hash ^ (ulong)value) * 1099511628211;
            Hash ^= Hash >> 29;
        }
    }

    public void Line(SimulatedNode node, string text) => Line($"n{node.Id}", text);

    public void Line(string who, string text) => output?.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{events.Now / 1000.0,12:F3} ms  {who,-4} {text}"));
}
