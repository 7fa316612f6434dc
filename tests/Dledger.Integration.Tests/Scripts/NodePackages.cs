using Dledger.Integration.Tests.Processes;

namespace Dledger.Integration.Tests.Scripts;

/// <summary>The npm packages of the scripts, installed on first use as the lock file says.</summary>
internal static class NodePackages
{
    private static readonly Lazy<Task> Installed = new(InstallAsync);

    /// <exception cref="InvalidOperationException">Node.js is missing, or the packages cannot be had.</exception>
    public static Task EnsureAsync() => Installed.Value;

    private static async Task InstallAsync()
    {
        await RunAsync("node", "--version");

        // npm writes this file last; it is newer than the lock when the packages are those of the lock.
        var mark = new FileInfo(Path.Combine(Repository.Scripts, "node_modules", ".package-lock.json"));
        var wanted = new FileInfo(Path.Combine(Repository.Scripts, "package-lock.json"));
        if (!mark.Exists || mark.LastWriteTimeUtc < wanted.LastWriteTimeUtc)
        {
            await RunAsync("npm", "ci", "--no-audit", "--no-fund");
        }
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        ProgramRun run;
        try
        {
            run = await ProgramRun.RunAsync(program, arguments, "", Repository.Scripts, TimeSpan.FromMinutes(5));
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new InvalidOperationException(
                $"These tests drive the official RocketMQ client for Node.js, but '{program}' is not on the search path. "
                + "Install Node.js 18 or later with npm.",
                exception);
        }

        if (run.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {run.Error}{run.Output}");
        }
    }
}
