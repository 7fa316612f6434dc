using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Dledger.Bench.Machines;

/// <summary>Where a result comes from; written beside each.</summary>
/// <param name="Time">When the run began.</param>
/// <param name="Program">Version of the program that measures, with the commit when it was built from one.</param>
/// <param name="Kernel">Operating system and its release.</param>
/// <param name="Cpu">Model of the processor.</param>
/// <param name="Cores">Processors that the program may use.</param>
/// <param name="MemoryBytes">Of the machine, as far as the program may use it.</param>
/// <param name="Runtime">Version of .NET.</param>
public sealed record MachineDescription(
    DateTimeOffset Time, string Program, string Kernel, string Cpu, int Cores, long MemoryBytes, string Runtime)
{
    /// <summary>This machine, now.</summary>
    public static MachineDescription Read(TimeProvider time) => new(
        time.GetUtcNow(),
        typeof(MachineDescription).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown",
        RuntimeInformation.OSDescription,
        CpuModel(),
        Environment.ProcessorCount,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        Environment.Version.ToString());

    /// <summary>One line for people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Cpu}, {Cores} cores, {MemoryBytes / (double)(1L << 30):0.0} GiB, {Kernel}, .NET {Runtime}");

    private static string CpuModel()
    {
        const string file = "/proc/cpuinfo";
        var line = File.Exists(file)
            ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':') + 1)..].Trim();
    }
}
