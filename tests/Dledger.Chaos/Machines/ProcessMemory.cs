using System.Globalization;

namespace Dledger.Chaos.Machines;

/// <summary>What a process holds in memory, in bytes.</summary>
/// <param name="Resident">All of it (VmRSS).</param>
/// <param name="Anonymous">Without files (RssAnon): heaps and stacks. Pages of mapped files do not count, the kernel takes
/// them back when it likes.</param>
internal readonly record struct ProcessMemory(long Resident, long Anonymous)
{
    /// <summary>Zero when the process is gone.</summary>
    public static ProcessMemory Of(int processId)
    {
        try
        {
            var lines = File.ReadAllLines($"/proc/{processId}/status");
            return new ProcessMemory(Bytes(lines, "VmRSS:"), Bytes(lines, "RssAnon:"));
        }
        catch (IOException)
        {
            return default;
        }
    }

    private static long Bytes(string[] lines, string name) =>
        lines.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line
            ? long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) << 10
            : 0;
}
