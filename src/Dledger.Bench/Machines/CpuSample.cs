using System.Globalization;

namespace Dledger.Bench.Machines;

/// <summary>CPU seconds since the machine started: all that was busy, that of chosen processes, and what the host took away.</summary>
internal readonly record struct CpuSample(double Busy, double Own, double Stolen)
{
    // What the kernel counts in for programs, on every Linux of today.
    private const double TicksPerSecond = 100;

    /// <summary>All zero where there is no <c>/proc</c>.</summary>
    public static CpuSample Take(IEnumerable<int> ownProcesses)
    {
        if (!File.Exists("/proc/stat"))
        {
            return default;
        }

        var cpu = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var busy = Number(cpu[1]) + Number(cpu[2]) + Number(cpu[3]) + Number(cpu[6]) + Number(cpu[7]);
        return new CpuSample(busy / TicksPerSecond, ownProcesses.Sum(SecondsOf), Number(cpu[8]) / TicksPerSecond);
    }

    /// <summary>CPU seconds of one process; 0 when it is gone.</summary>
    public static double SecondsOf(int process)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (Number(fields[11]) + Number(fields[12])) / TicksPerSecond;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
