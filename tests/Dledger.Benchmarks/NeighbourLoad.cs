using System.Globalization;

namespace Dledger.Benchmarks;

/// <summary>
/// How much CPU went elsewhere during a run: to other processes, and to other guests of the host (steal). A result taken next to a
/// busy neighbour is worth little, and stolen time shows up in the tail: a call waits whenever its core is away.
/// </summary>
internal sealed class NeighbourLoad
{
    private readonly int[] _ownProcesses;
    private readonly (double Busy, double Own, double Stolen) _before;
    private readonly DateTime _start = DateTime.UtcNow;

    private NeighbourLoad(int[] ownProcesses)
    {
        _ownProcesses = ownProcesses;
        _before = Sample();
    }

    public static NeighbourLoad Start(IEnumerable<int> ownProcesses) =>
        new([.. ownProcesses.Append(Environment.ProcessId)]);

    /// <summary>Cores kept busy by other processes, and cores taken by the host, since the start; for example 0.2.</summary>
    public (double Others, double Stolen) Cores()
    {
        var after = Sample();
        var seconds = (DateTime.UtcNow - _start).TotalSeconds;
        var others = after.Busy - _before.Busy - (after.Own - _before.Own);
        return (Math.Max(0, others / seconds), (after.Stolen - _before.Stolen) / seconds);
    }

    private (double Busy, double Own, double Stolen) Sample()
    {
        const double ticksPerSecond = 100;
        var cpu = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var busy = Number(cpu[1]) + Number(cpu[2]) + Number(cpu[3]) + Number(cpu[6]) + Number(cpu[7]);
        var own = _ownProcesses.Sum(process =>
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return Number(fields[11]) + Number(fields[12]);
        });
        return (busy / ticksPerSecond, own / ticksPerSecond, Number(cpu[8]) / ticksPerSecond);
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
