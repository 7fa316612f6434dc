using System.Net;
using System.Net.Sockets;
using Dledger.Bench.Machines;

namespace Dledger.Bench.Tests.Machines;

public sealed class NodeProcessesTests
{
    private static readonly string[] Table =
    [
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
        "   0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 41001 1 0 100 0 0 10 0",
        "   1: 0100007F:1F91 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000  1000        0 41002 1 0 100 0 0 10 0",
        "   2: 00000000000000000000000000000000:1F92 00000000000000000000000000000000:0000 0A 0:0 00:0 0 1000 0 41003 1",
        "   3: broken",
    ];

    [Fact]
    public void Only_sockets_that_listen_on_one_of_the_ports_are_found()
    {
        Assert.Equal(["41001"], NodeProcesses.Sockets(Table, new HashSet<int> { 8081 }));
        Assert.Equal(["41001", "41003"], NodeProcesses.Sockets(Table, new HashSet<int> { 8081, 8082 }));
        Assert.Empty(NodeProcesses.Sockets(Table, new HashSet<int> { 80 }));
    }

    [Fact]
    public void This_process_is_no_measured_node()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        Assert.Empty(NodeProcesses.Listeners(new HashSet<int> { ((IPEndPoint)listener.LocalEndpoint).Port }));
    }

    [Fact]
    public void The_folders_of_files_that_are_written_are_found()
    {
        var folder = Directory.CreateTempSubdirectory("dledger-bench-tests-");
        try
        {
            using var written = File.Create(Path.Combine(folder.FullName, "written"));

            Assert.Equal(OperatingSystem.IsLinux(), NodeProcesses.WrittenFolders(Environment.ProcessId).Contains(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Files_are_advised_below_the_folders_only_when_that_is_asked_for()
    {
        var folder = Directory.CreateTempSubdirectory("dledger-bench-tests-");
        try
        {
            File.WriteAllBytes(Path.Combine(folder.FullName, "a"), new byte[5_000]);
            File.WriteAllBytes(Path.Combine(folder.CreateSubdirectory("below").FullName, "b"), new byte[7_000]);

            Assert.Equal(5_000, PageCache.Evict([folder.FullName], isRecursive: false));
            Assert.Equal(12_000, PageCache.Evict([folder.FullName], isRecursive: true));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
