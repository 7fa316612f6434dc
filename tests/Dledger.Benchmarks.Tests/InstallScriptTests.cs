using System.Diagnostics;

namespace Dledger.Benchmarks.Tests;

/// <summary>The script that installs the peers, with tools of ours in the place of Debian's.</summary>
public sealed class InstallScriptTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("dledger-install-").FullName;

    private string Policy => Path.Combine(_directory, "policy-rc.d");

    private string Calls => Path.Combine(_directory, "calls");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Packages_that_are_installed_are_left_alone()
    {
        Tool("dpkg-query", "printf installed");
        Tool("apt-get", $"echo \"$@\" >> {Calls}");

        var exitCode = await RunAsync("nats-server");

        Assert.Equal(0, exitCode);
        Assert.False(File.Exists(Calls));
    }

    [Fact]
    public async Task No_service_may_start_while_a_package_is_installed()
    {
        Tool("dpkg-query", "exit 1");
        Tool("apt-get", $"if {Policy}; then echo allowed >> {Calls}; else echo $? >> {Calls}; fi");

        var exitCode = await RunAsync("nats-server");

        Assert.Equal(0, exitCode);
        Assert.Equal(["101"], await File.ReadAllLinesAsync(Calls));
        Assert.False(File.Exists(Policy));
    }

    [Fact]
    public async Task The_policy_of_the_machine_comes_back_also_when_nothing_can_be_installed()
    {
        Tool("dpkg-query", "exit 1");
        Tool("apt-get", "exit 100");
        await File.WriteAllTextAsync(Policy, "the machine's own");

        var exitCode = await RunAsync("nats-server", "rabbitmq-server");

        Assert.Equal(1, exitCode);
        Assert.Equal("the machine's own", await File.ReadAllTextAsync(Policy));
    }

    [Fact]
    public async Task One_package_that_cannot_be_installed_does_not_keep_the_other_away()
    {
        Tool("dpkg-query", "exit 1");
        Tool("apt-get", $"case \"$*\" in *nats-server*) exit 100;; esac; echo \"$@\" >> {Calls}");

        var exitCode = await RunAsync("nats-server", "rabbitmq-server");

        Assert.Equal(1, exitCode);
        Assert.Contains(await File.ReadAllLinesAsync(Calls), call => call.EndsWith("rabbitmq-server", StringComparison.Ordinal));
    }

    private void Tool(string name, string script)
    {
        var file = Path.Combine(_directory, name);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        }

        using var tool = new StreamWriter(file, options);
        tool.Write($"#!/bin/sh\n{script}\n");
    }

    private async Task<int> RunAsync(params string[] packages)
    {
        Tool("id", "echo 0");
        Tool("systemctl", "exit 0");
        var start = new ProcessStartInfo("sh", [Path.Combine(AppContext.BaseDirectory, "install-peers.sh"), .. packages])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["POLICY_FILE"] = Policy;
        start.Environment["PATH"] = $"{_directory}:{Environment.GetEnvironmentVariable("PATH")}";
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
        await process.WaitForExitAsync(limit.Token);
        return process.ExitCode;
    }
}
