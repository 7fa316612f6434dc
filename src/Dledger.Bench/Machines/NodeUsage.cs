using System.Globalization;

namespace Dledger.Bench.Machines;

/// <summary>What the nodes on this machine took during a run.</summary>
/// <param name="Nodes">Processes that were found.</param>
/// <param name="CpuSeconds">Of all of them.</param>
/// <param name="MemoryBytesMax">Resident memory of the largest, at the end.</param>
/// <param name="ReadBytes">Fetched from disks: what the page cache had does not count.</param>
/// <param name="WrittenBytes">Given to disks.</param>
public sealed record NodeUsage(int Nodes, double CpuSeconds, long MemoryBytesMax, long ReadBytes, long WrittenBytes)
{
    /// <summary>The sums since the processes started.</summary>
    public static NodeUsage Sample(IReadOnlyList<int> processes) => new(
        processes.Count,
        processes.Sum(CpuSample.SecondsOf),
        processes.Select(process => Field(process, "status", "VmRSS:") * 1024).DefaultIfEmpty(0).Max(),
        processes.Sum(process => Field(process, "io", "read_bytes:")),
        processes.Sum(process => Field(process, "io", "write_bytes:")));

    /// <summary>What came to it since an earlier sample.</summary>
    public NodeUsage Since(NodeUsage earlier) => this with
    {
        CpuSeconds = CpuSeconds - earlier.CpuSeconds,
        ReadBytes = ReadBytes - earlier.ReadBytes,
        WrittenBytes = WrittenBytes - earlier.WrittenBytes,
    };

    private static long Field(int process, string file, string name)
    {
        try
        {
            var line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/{file}"))
                .FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
            var number = line?[name.Length..].Trim().Split(' ')[0];
            return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
