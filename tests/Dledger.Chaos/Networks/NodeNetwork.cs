using System.Globalization;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Networks;

/// <summary>A namespace for each node and a switch between them, made for one run and removed with it.</summary>
/// <remarks>Names carry the number of this process, addresses come from a part of 10.231.0.0/16 that has no route yet, so that
/// nothing that exists is touched.</remarks>
internal sealed class NodeNetwork : IAsyncDisposable
{
    private const int ClientHost = 254;

    private readonly List<(string Space, string Will)> _spaces;
    private readonly string _prefix;

    private NodeNetwork(FrameSwitch frames, List<(string, string)> spaces, string prefix)
    {
        Switch = frames;
        _spaces = spaces;
        _prefix = prefix;
    }

    public FrameSwitch Switch { get; }

    /// <summary>Why the machine cannot do this; null: it can.</summary>
    public static string? WhyNot() =>
        Environment.UserName != "root" ? "needs root"
        : !File.Exists("/dev/net/tun") ? "/dev/net/tun does not exist"
        : !Command.Exists("ip") ? "the program ip is missing (package iproute2)"
        : !Command.Exists("nsenter") ? "the program nsenter is missing (package util-linux)"
        : null;

    /// <summary>Makes it, or leaves nothing behind.</summary>
    /// <exception cref="ChaosException">The machine does not allow it.</exception>
    public static async Task<NodeNetwork> CreateAsync(int nodeCount, Undertaker undertaker, Random random)
    {
        var mark = Environment.ProcessId % 100_000;
        var prefix = await FreePrefixAsync(mark);
        var ports = new List<TapPort>();
        var spaces = new List<(string, string)>();
        try
        {
            for (var port = 0; port <= nodeCount; port++)
            {
                var device = $"dlc{mark}p{port}";
                ports.Add(TapPort.Open(device));
                await Command.RunAsync("ip", "link", "set", device, "address", MacOf(port));
                if (port == 0)
                {
                    await Command.RunAsync("ip", "addr", "add", $"{prefix}.{ClientHost}/24", "dev", device);
                    await Command.RunAsync("ip", "link", "set", device, "up");
                    continue;
                }

                var space = $"dlc{mark}n{port}";
                await Command.RunAsync("ip", "netns", "add", space);
                spaces.Add((space, undertaker.Leave($"ip netns del {space}")));
                await Command.RunAsync("ip", "link", "set", device, "netns", space);
                await Command.RunAsync("ip", "-n", space, "addr", "add", $"{prefix}.{port}/24", "dev", device);
                await Command.RunAsync("ip", "-n", space, "link", "set", device, "up");
                await Command.RunAsync("ip", "-n", space, "link", "set", "lo", "up");
            }
        }
        catch (ChaosException)
        {
            ports.ForEach(port => port.Dispose());
            await RemoveAsync(spaces);
            throw;
        }

        return new NodeNetwork(new FrameSwitch(ports, random), spaces, prefix);
    }

    /// <summary>Address of a node.</summary>
    public string HostOf(int node) => $"{_prefix}.{node.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>What starts a program in the namespace of a node.</summary>
    /// <remarks><c>ip netns exec</c> would copy all mounts and so hold those of the other nodes.</remarks>
    public IReadOnlyList<string> LaunchPrefix(int node) => ["nsenter", $"--net=/var/run/netns/{_spaces[node - 1].Space}"];

    /// <summary>Cuts both ways between two groups of ports.</summary>
    public void Part(IEnumerable<int> left, IReadOnlyCollection<int> right)
    {
        foreach (var here in left)
        {
            foreach (var there in right)
            {
                Switch.Set(here, there, LinkRule.Closed);
                Switch.Set(there, here, LinkRule.Closed);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Switch.Dispose();
        await RemoveAsync(_spaces);
    }

    private static string MacOf(int port) => string.Create(CultureInfo.InvariantCulture, $"02:dc:00:00:00:{port:x2}");

    private static async Task<string> FreePrefixAsync(int mark)
    {
        var routes = await Command.RunAsync("ip", "route");
        for (var attempt = 0; attempt < 250; attempt++)
        {
            var prefix = $"10.231.{(mark + attempt) % 250}";
            if (!routes.Contains($"{prefix}.", StringComparison.Ordinal))
            {
                return prefix;
            }
        }

        throw new ChaosException("no free part of 10.231.0.0/16");
    }

    private static async Task RemoveAsync(List<(string Space, string Will)> spaces)
    {
        foreach (var (space, will) in spaces)
        {
            if ((await Command.TryAsync("ip", "netns", "del", space)).ExitCode == 0)
            {
                Undertaker.TearUp(will);
            }
        }
    }
}
