using System.Net;
using System.Net.Sockets;

namespace Dledger.Testing.Ports;

/// <summary>Ports of 127.0.0.1 for nodes that tests start, stop and start again.</summary>
/// <remarks>
/// A port that was bound as 0 and closed again is one that the kernel gives to the next outgoing connection of anybody, before the
/// node listens or while it is stopped. These lie outside of the kernel's range, and each is leased: a file of its own is open
/// exclusively (flock) while somebody uses the port, in this process or in another one of the same user. Whoever does not take part
/// in this is noticed if he listens already. Safe for any thread.
/// </remarks>
public sealed class LoopbackPorts
{
    private static readonly LoopbackPorts Shared = new(PortRange.OfThisMachine(), DirectoryOfUser());
    private static readonly List<PortLease> Held = [];

    private readonly PortRange _range;
    private readonly string _directory;
    private int _next;

    /// <param name="range">What may be handed out.</param>
    /// <param name="directory">Where the lock files are. They stay: who removed one could lock another than the next who opens it.</param>
    public LoopbackPorts(PortRange range, string directory)
    {
        _range = range;
        _directory = directory;

        // Processes that start together begin at different places, so that they seldom look at the same port.
        _next = Random.Shared.Next(range.Count);
    }

    /// <summary>Leases ports until the lease is disposed.</summary>
    public static PortLease Lease(int count) => Shared.LeaseOf(count);

    /// <summary>Leases ports until this process ends.</summary>
    public static int[] Take(int count)
    {
        var lease = Lease(count);
        lock (Held)
        {
            Held.Add(lease);
        }

        return [.. lease.Ports];
    }

    /// <summary>The same as <see cref="Lease"/> from this range.</summary>
    /// <exception cref="InvalidOperationException">So many are not free.</exception>
    public PortLease LeaseOf(int count)
    {
        Directory.CreateDirectory(_directory);
        var ports = new List<int>(count);
        var locks = new List<FileStream>(count);
        for (var looked = 0; looked < _range.Count && ports.Count < count; looked++)
        {
            var port = _range.First + (int)((uint)Interlocked.Increment(ref _next) % (uint)_range.Count);
            if (TryLock(port) is not { } held)
            {
                continue;
            }

            if (CanListen(port))
            {
                ports.Add(port);
                locks.Add(held);
            }
            else
            {
                held.Dispose();
            }
        }

        var lease = new PortLease(ports, locks);
        if (ports.Count < count)
        {
            lease.Dispose();
            throw new InvalidOperationException(
                $"Of the ports {_range.First} to {_range.Last} only {ports.Count} are free, and {count} are needed.");
        }

        return lease;
    }

    // One directory per user: another one's files could not be opened.
    private static string DirectoryOfUser() => Path.Combine(Path.GetTempPath(), $"dledger-ports-{Environment.UserName}");

    private FileStream? TryLock(int port)
    {
        try
        {
            return new FileStream(
                Path.Combine(_directory, $"{port}.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool CanListen(int port)
    {
        try
        {
            using var probe = new TcpListener(IPAddress.Loopback, port);
            probe.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
