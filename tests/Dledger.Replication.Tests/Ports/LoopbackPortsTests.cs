using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Dledger.Testing.Ports;

namespace Dledger.Replication.Tests.Ports;

/// <summary>Nodes of tests get ports that nobody takes from them while they are stopped.</summary>
public sealed class LoopbackPortsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("dledger-ports-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void No_port_lies_in_the_range_that_the_kernel_gives_to_outgoing_connections()
    {
        using var lease = LoopbackPorts.Lease(20);

        Assert.Equal(20, lease.Ports.Distinct().Count());
        Assert.DoesNotContain(lease.Ports, PortRange.Ephemeral().Contains);
    }

    [Theory]
    [InlineData("32768\t60999\n", 10_000, 32_767)]
    [InlineData("11000 50000", 50_001, 65_535)]
    [InlineData("1024\t65535\n", 10_000, 65_535)]
    public void The_ports_are_those_below_the_kernels_or_above_if_these_are_too_few(string kernel, int first, int last) =>
        Assert.Equal(new PortRange(first, last), PortRange.Outside(PortRange.Parse(kernel)));

    [Fact]
    public void Two_that_look_in_the_same_places_never_get_the_same_port()
    {
        var range = Narrow(40);
        var one = new LoopbackPorts(range, _directory);
        var other = new LoopbackPorts(range, _directory);
        var leases = new List<PortLease>();

        for (var i = 0; i < 10; i++)
        {
            leases.Add(one.LeaseOf(1));
            leases.Add(other.LeaseOf(2));
        }

        Assert.Equal(30, leases.SelectMany(lease => lease.Ports).Distinct().Count());
        leases.ForEach(lease => lease.Dispose());
    }

    [Fact]
    public async Task A_port_that_another_process_has_leased_is_not_handed_out()
    {
        var range = Narrow(2);
        using var other = Process.Start(new ProcessStartInfo(
            "flock", ["--exclusive", Path.Combine(_directory, $"{range.First}.lock"), "--command", "echo held; read line"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("held", await other.StandardOutput.ReadLineAsync());
        var ports = new LoopbackPorts(range, _directory);

        using (var lease = ports.LeaseOf(1))
        {
            Assert.Equal(range.Last, lease.Ports.Single());
            Assert.Throws<InvalidOperationException>(() => ports.LeaseOf(1));
        }

        await other.StandardInput.WriteLineAsync();
        await other.WaitForExitAsync();
        using var both = ports.LeaseOf(2);
        Assert.Equal([range.First, range.Last], both.Ports.Order());
    }

    [Fact]
    public void A_port_on_which_somebody_listens_is_not_handed_out()
    {
        using var taken = LoopbackPorts.Lease(1);
        using var listener = new TcpListener(IPAddress.Loopback, taken.Ports[0]);
        listener.Start();
        var ports = new LoopbackPorts(new PortRange(taken.Ports[0], taken.Ports[0]), _directory);

        var refused = Assert.Throws<InvalidOperationException>(() => ports.LeaseOf(1));

        Assert.Contains($"{taken.Ports[0]}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_given_back_or_could_not_be_completed_is_handed_out_again()
    {
        var range = Narrow(3);
        var ports = new LoopbackPorts(range, _directory);

        ports.LeaseOf(3).Dispose();
        Assert.Throws<InvalidOperationException>(() => ports.LeaseOf(4));
        using var again = ports.LeaseOf(3);

        Assert.Equal([range.First, range.First + 1, range.Last], again.Ports.Order());
    }

    // As many ports in a row on which nobody listens; locks are in a directory of the test's own.
    private static PortRange Narrow(int count)
    {
        var all = PortRange.OfThisMachine();
        for (var first = all.First + Random.Shared.Next(all.Count / 2); ; first += count)
        {
            var directory = Directory.CreateTempSubdirectory("dledger-ports-test-").FullName;
            try
            {
                var range = new PortRange(first, first + count - 1);
                new LoopbackPorts(range, directory).LeaseOf(count).Dispose();
                return range;
            }
            catch (InvalidOperationException)
            {
                // Somebody listens on one of them: the next ones.
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }
}
