using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Security.Cryptography;

namespace Dledger.GrpcCompat.Tests.Interop;

/// <summary>
/// The Node.js project in <c>js/</c>. Installs its locked packages once and runs its scripts. Without Node.js every
/// test that needs it fails and says so.
/// </summary>
public sealed class NodeProject : IAsyncLifetime
{
    private const string MissingNode =
        "Node.js (node and npm, version 18 or later) was not found on the PATH; "
        + "the tests against @grpc/grpc-js need it.";

    private static readonly TimeSpan InstallTimeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan CaseTimeout = TimeSpan.FromSeconds(60);

    /// <summary>The folder that holds <c>package.json</c>.</summary>
    public string Folder { get; } = Locate();

    /// <summary>
    /// Installs unless <c>node_modules</c> is already that of the lock file. Parallel runs wait for each other at a
    /// lock file.
    /// </summary>
    public async Task InitializeAsync()
    {
        using var timeout = new CancellationTokenSource(InstallTimeout);
        await using var guard = await AcquireAsync(Path.Combine(Folder, ".install.lock"), timeout.Token);
        var stamp = Path.Combine(Folder, "node_modules", ".installed-from");
        var wanted = Convert.ToHexStringLower(
            SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(Folder, "package-lock.json"), timeout.Token)));
        if (File.Exists(stamp) && await File.ReadAllTextAsync(stamp, timeout.Token) == wanted)
        {
            return;
        }

        // No package of the lock file needs its install script; not running any keeps the install reproducible.
        var (exitCode, output) = await RunAsync(
            "npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], timeout.Token);
        Assert.True(exitCode == 0, $"npm ci in {Folder} failed with exit code {exitCode}:\n{output}");
        await File.WriteAllTextAsync(stamp, wanted, timeout.Token);
    }

    public Task DisposeAsync()
    {
        return Task.CompletedTask;
    }

    /// <summary>Runs one script to its end; a failure carries what the script printed.</summary>
    public async Task RunScriptAsync(string script, params string[] arguments)
    {
        using var timeout = new CancellationTokenSource(CaseTimeout);
        var (exitCode, output) = await RunAsync("node", [script, .. arguments], timeout.Token);
        Assert.True(
            exitCode == 0, $"node {script} {string.Join(' ', arguments)} failed with exit code {exitCode}:\n{output}");
    }

    /// <summary>Starts a script that goes on running; its owner ends it.</summary>
    public Process StartScript(string script, params string[] arguments)
    {
        return Start("node", [script, .. arguments]);
    }

    private static string Locate()
    {
        var assembly = typeof(NodeProject).Assembly;
        var relative = assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(attribute => attribute.Key == "NodeProject").Value!;
        var folder = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, relative));
        Assert.True(
            File.Exists(Path.Combine(folder, "package.json")),
            $"There is no package.json in {folder}: run the tests from the build output inside the source tree.");
        return folder;
    }

    private static async Task<FileStream> AcquireAsync(string path, CancellationToken cancellationToken)
    {
        using var retry = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (true)
        {
            try
            {
                // The lock is the open handle, not the file: a run that dies leaves nothing locked.
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await retry.WaitForNextTickAsync(cancellationToken);
            }
        }
    }

    private async Task<(int ExitCode, string Output)> RunAsync(
        string program, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Start(program, arguments);
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, await output + await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end in time.");
        }
    }

    private Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(
            OperatingSystem.IsWindows() && program == "npm" ? "npm.cmd" : program, arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(start) ?? throw new InvalidOperationException(MissingNode);
        }
        catch (Win32Exception fault)
        {
            throw new InvalidOperationException(MissingNode, fault);
        }
    }
}
