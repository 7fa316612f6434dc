using System.Globalization;

namespace Dledger.Testing.Ports;

/// <summary>Ports from the first to the last, both of them included.</summary>
public readonly record struct PortRange(int First, int Last)
{
    private const string EphemeralFile = "/proc/sys/net/ipv4/ip_local_port_range";
    private const int PortMax = 65_535;

    // Below lie the ports of well known services, which a test must not take even where it could.
    private const int FirstForTests = 10_000;

    // Some hundred nodes of test processes that run side by side, with room to step over what others use.
    private const int CountMin = 2_000;

    public int Count => Last - First + 1;

    /// <summary>What this machine's kernel never gives to an outgoing connection.</summary>
    public static PortRange OfThisMachine() => Outside(Ephemeral());

    /// <summary>The ports that the kernel picks from for outgoing connections and for port 0.</summary>
    public static PortRange Ephemeral() =>
        File.Exists(EphemeralFile) ? Parse(File.ReadAllText(EphemeralFile)) : new PortRange(49_152, PortMax);

    /// <summary>The ports below the ephemeral ones; where they are too few, those above.</summary>
    /// <remarks>If both are too few, all ports from 10000 on: tests still keep out of each other's way, if not of everybody's.</remarks>
    public static PortRange Outside(PortRange ephemeral)
    {
        var below = new PortRange(FirstForTests, ephemeral.First - 1);
        var above = new PortRange(Math.Max(FirstForTests, ephemeral.Last + 1), PortMax);
        return below.Count >= CountMin ? below : above.Count >= CountMin ? above : new PortRange(FirstForTests, PortMax);
    }

    /// <summary>Reads the kernel's way to write a range: two numbers with white space between them.</summary>
    public static PortRange Parse(string text)
    {
        var parts = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return new PortRange(
            int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    public bool Contains(int port) => port >= First && port <= Last;
}
