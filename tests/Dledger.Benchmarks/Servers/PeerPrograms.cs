using Dledger.Chaos.Machines;

namespace Dledger.Benchmarks.Servers;

/// <summary>Where the compared brokers are on this machine, and which versions.</summary>
internal static class PeerPrograms
{
    private const string RabbitScripts = "/usr/lib/rabbitmq/bin";

    /// <summary>nats-server: <c>NATS_SERVER</c> if that is set, else the installed one; null when there is none.</summary>
    public static string? Nats() =>
        Environment.GetEnvironmentVariable("NATS_SERVER") is { Length: > 0 } named
            ? File.Exists(named) ? named : null
            : Command.Exists("nats-server") ? "nats-server" : null;

    /// <summary>The folder of RabbitMQ's scripts: those behind the Debian wrapper, which insists on its own user and directories.</summary>
    public static string? Rabbit() =>
        File.Exists(Path.Combine(RabbitScripts, "rabbitmq-server")) && Command.Exists("epmd") ? RabbitScripts : null;

    public static async Task<string> NatsVersionAsync(string program) =>
        ParseNatsVersion((await Command.TryAsync(program, "--version")).Output);

    public static async Task<string> RabbitVersionAsync() =>
        ParseDebianVersion((await Command.TryAsync("dpkg-query", "-W", "-f", "${Version}", "rabbitmq-server")).Output);

    /// <summary>Whether this nats-server knows <c>sync_interval: always</c>; one that does not refuses the file.</summary>
    public static async Task<bool> NatsCanSyncAlwaysAsync(string program, string directory)
    {
        var file = Path.Combine(directory, "probe.conf");
        await File.WriteAllTextAsync(file, $"jetstream {{ store_dir: \"{directory}\", sync_interval: always }}\n");
        return (await Command.TryAsync(program, "-t", "-c", file)).ExitCode == 0;
    }

    /// <summary><c>nats-server: v2.9.10</c> is 2.9.10.</summary>
    public static string ParseNatsVersion(string output) =>
        output.Trim().Split(' ').Last() is { Length: > 0 } version ? version.TrimStart('v') : "?";

    /// <summary><c>3.10.8-1.1+deb12u1</c> is 3.10.8.</summary>
    public static string ParseDebianVersion(string version) =>
        version.Trim().Split('-')[0] is { Length: > 0 } upstream ? upstream : "?";
}
