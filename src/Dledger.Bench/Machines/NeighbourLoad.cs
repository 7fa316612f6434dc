using System.Diagnostics;

namespace Dledger.Bench.Machines;

/// <summary>
/// How much CPU went elsewhere during a run: to other processes, and to other guests of the host (steal). A result taken next to a
/// busy neighbour is worth little, and stolen time shows up in the tail: a call waits whenever its core is away.
/// </summary>
public sealed class NeighbourLoad
{
    /// <summary>Results taken beside more than this, in cores, are not to be relied on.</summary>
    public const double CoresMax = 0.2;

    private readonly int[] _ownProcesses;
    private readonly CpuSample _before;
    private readonly long _start = Stopwatch.GetTimestamp();

    private NeighbourLoad(int[] ownProcesses)
    {
        _ownProcesses = ownProcesses;
        _before = CpuSample.Take(ownProcesses);
    }

    /// <param name="ownProcesses">Those that are measured; this process belongs to them anyhow.</param>
    public static NeighbourLoad Start(IEnumerable<int> ownProcesses) =>
        new([.. ownProcesses.Append(Environment.ProcessId).Distinct()]);

    /// <summary>Cores kept busy by other processes, and cores taken by the host, since the start; for example 0.2.</summary>
    public (double Others, double Stolen) Cores()
    {
        var after = CpuSample.Take(_ownProcesses);
        var seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        var others = after.Busy - _before.Busy - (after.Own - _before.Own);
        return (Math.Max(0, others / seconds), Math.Max(0, (after.Stolen - _before.Stolen) / seconds));
    }
}
