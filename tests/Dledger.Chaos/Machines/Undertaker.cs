using System.Diagnostics;
using System.Globalization;

namespace Dledger.Chaos.Machines;

/// <summary>Cleans up behind a run, however it ends: also when this process is killed.</summary>
/// <remarks>
/// Everything that outlives a process (nodes, mounts, namespaces, control groups) leaves a small script as its will. A shell
/// of its own session waits until its input ends, which the kernel sees to when we die, and then executes the wills that are
/// left, newest first. A will is torn up by whoever has cleaned up in order. The shell touches nothing else.
/// </remarks>
internal sealed class Undertaker : IAsyncDisposable
{
    private const string Script =
        """
        trap '' INT TERM HUP
        cat >/dev/null
        for will in $(ls -r "$1"/wills 2>/dev/null); do sh "$1/wills/$will" >/dev/null 2>&1; done
        rm -rf --one-file-system "$1"
        """;

    private readonly Process _shell;
    private readonly string _wills;
    private int _count;

    private Undertaker(string directory, Process shell)
    {
        Directory = directory;
        _wills = Path.Combine(directory, "wills");
        _shell = shell;
    }

    /// <summary>The directory of the run; it goes with the run.</summary>
    public string Directory { get; }

    /// <param name="prefix">Begins the name of the directory.</param>
    public static Undertaker Start(string prefix = "dledger-chaos-")
    {
        var directory = System.IO.Directory.CreateTempSubdirectory(prefix).FullName;
        System.IO.Directory.CreateDirectory(Path.Combine(directory, "wills"));
        var start = new ProcessStartInfo("setsid", ["sh", "-c", Script, "sh", directory]) { RedirectStandardInput = true };
        return new Undertaker(directory, Process.Start(start) ?? throw new ChaosException("cannot start a shell"));
    }

    /// <summary>Leaves a script that undoes something. Returns the will; delete the file when it is undone.</summary>
    public string Leave(string script)
    {
        var number = Interlocked.Increment(ref _count);
        var will = Path.Combine(_wills, number.ToString("D6", CultureInfo.InvariantCulture));
        File.WriteAllText(will, script);
        return will;
    }

    /// <summary>A will that kills a process, unless its number belongs to another one by then.</summary>
    public string LeaveKill(int processId) => Leave(
        $"[ \"$(cut -d' ' -f22 /proc/{processId}/stat)\" = \"{StartTime(processId)}\" ] && kill -9 {processId}");

    /// <summary>The will is not needed any more.</summary>
    public static void TearUp(string? will)
    {
        if (will is not null)
        {
            File.Delete(will);
        }
    }

    /// <summary>Ends the shell, which executes what is left and removes the directory.</summary>
    public async ValueTask DisposeAsync()
    {
        _shell.StandardInput.Close();
        await _shell.WaitForExitAsync();
        _shell.Dispose();
    }

    private static string StartTime(int processId)
    {
        try
        {
            return File.ReadAllText($"/proc/{processId}/stat").Split(' ')[21];
        }
        catch (IOException)
        {
            return "gone";
        }
    }
}
