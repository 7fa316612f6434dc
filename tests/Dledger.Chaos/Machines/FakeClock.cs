using System.Globalization;

namespace Dledger.Chaos.Machines;

/// <summary>libfaketime: another wall clock for one process, moved while it runs; the monotonic clock stays true.</summary>
internal static class FakeClock
{
    private static readonly string[] Folders =
        ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib64/faketime", "/usr/lib/faketime"];

    private static string? Library =>
        Folders.Select(folder => Path.Combine(folder, "libfaketimeMT.so.1")).FirstOrDefault(File.Exists);

    /// <summary>Why the machine cannot do this; null: it can.</summary>
    public static string? WhyNot() => Library is null ? "libfaketimeMT is missing (package libfaketime)" : null;

    /// <summary>Sets the variables for a process whose clock follows a file.</summary>
    public static void Prepare(IDictionary<string, string> environment, string file)
    {
        Set(file, TimeSpan.Zero);
        environment["LD_PRELOAD"] = Library!;
        environment["FAKETIME_TIMESTAMP_FILE"] = file;
        environment["FAKETIME_CACHE_DURATION"] = "1";
        environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
        environment["FAKETIME_FORCE_MONOTONIC_FIX"] = "0";
        environment["FAKETIME_DISABLE_SHM"] = "1";
    }

    /// <summary>Takes them out again for the next life.</summary>
    public static void Forget(IDictionary<string, string> environment)
    {
        foreach (var name in environment.Keys.Where(name => name.StartsWith("FAKETIME", StringComparison.Ordinal)).ToArray())
        {
            environment.Remove(name);
        }

        environment.Remove("LD_PRELOAD");
    }

    /// <summary>Moves the clock of the process; it notices within a second.</summary>
    public static void Set(string file, TimeSpan offset) => File.WriteAllText(
        file, offset.TotalSeconds.ToString("+0;-0;+0", CultureInfo.InvariantCulture) + "\n");
}
