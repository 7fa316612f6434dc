using System.Net;
using System.Net.Sockets;
using Apache.Rocketmq.V2;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Server.Listening;
using Dledger.Server.Options;
using Dledger.Server.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dledger.Server.Tests;

public sealed class DledgerServerTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"dledger-life-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [Fact]
    public async Task Options_with_problems_open_nothing()
    {
        var options = Options() with { NodeId = new NodeId(0), Limits = new LimitOptions { ReceiveBatchCount = 99 } };

        var exception = await Assert.ThrowsAsync<ServerOptionsException>(
            () => DledgerServer.StartAsync(options, NullLoggerFactory.Instance));

        Assert.Equal(2, exception.Problems.Count);
        Assert.False(Directory.Exists(_directory));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_and_the_directory_is_let_go()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var options = Options();

        var exception = await Assert.ThrowsAsync<ListenException>(() => DledgerServer.StartAsync(
            options with { Client = options.Client with { Port = port } }, NullLoggerFactory.Instance));
        await using var started = await DledgerServer.StartAsync(options, NullLoggerFactory.Instance);

        Assert.Contains($"{port}", exception.Message, StringComparison.Ordinal);
        Assert.NotEqual(port, started.ClientPort);
    }

    [Fact]
    public async Task A_directory_that_another_node_uses_is_refused()
    {
        await using var first = await DledgerServer.StartAsync(Options(), NullLoggerFactory.Instance);

        await Assert.ThrowsAsync<DataDirectoryException>(
            () => DledgerServer.StartAsync(Options(), NullLoggerFactory.Instance));
    }

    [Fact]
    public async Task A_directory_of_another_node_id_is_refused()
    {
        await using (await DledgerServer.StartAsync(Options(), NullLoggerFactory.Instance))
        {
            // Makes the directory that of node 1.
        }

        await Assert.ThrowsAsync<DataDirectoryException>(() => DledgerServer.StartAsync(
            Options() with { NodeId = new NodeId(2) }, NullLoggerFactory.Instance));
    }

    [Fact]
    public async Task A_directory_that_cannot_be_made_is_refused()
    {
        Directory.CreateDirectory(_directory);
        var file = Path.Combine(_directory, "file");
        await File.WriteAllTextAsync(file, "");

        await Assert.ThrowsAsync<DataDirectoryException>(() => DledgerServer.StartAsync(
            Options() with { DataDirectory = Path.Combine(file, "data") }, NullLoggerFactory.Instance));
    }

    [Fact]
    public async Task A_certificate_that_is_none_is_refused_before_the_port_opens()
    {
        Directory.CreateDirectory(_directory);
        var file = Path.Combine(_directory, "not.pem");
        await File.WriteAllTextAsync(file, "nothing of the kind");
        var options = Options();

        var exception = await Assert.ThrowsAsync<ListenException>(() => DledgerServer.StartAsync(
            options with { Client = options.Client with { CertificateFile = file, KeyFile = file } },
            NullLoggerFactory.Instance));

        Assert.Contains(file, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_ends_the_node_without_fault_however_often_it_is_asked()
    {
        var server = await DledgerServer.StartAsync(Options(), NullLoggerFactory.Instance);

        await Task.WhenAll(server.StopAsync(), server.StopAsync());
        await server.DisposeAsync();
        var exit = await server.Completion;

        Assert.False(exit.IsFault);
        Assert.NotEmpty(exit.Reason);
    }

    [Fact]
    public async Task A_call_that_never_ends_does_not_keep_the_node_from_stopping()
    {
        var options = Options();
        var server = await DledgerServer.StartAsync(
            options with { Limits = new LimitOptions { DrainMax = TimeSpan.FromMilliseconds(100) } },
            NullLoggerFactory.Instance);
        using var endless = new RawCall(server.ClientPort, "Heartbeat", ("x-mq-client-id", "c"));
        await endless.ReachServerAsync();

        await server.StopAsync().WaitAsync(TimeSpan.FromSeconds(30));

        Assert.False((await server.Completion).IsFault);
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_a_restart()
    {
        await using (var node = await TestNode.StartAsync(directory: _directory))
        {
            await node.Client.QueryRouteAsync("orders");
            var sent = await node.Client.SendAsync(node.Client.Message("orders", "kept"));
            Assert.Equal(Code.Ok, sent.Status.Code);
        }

        await using var again = await TestNode.StartAsync(directory: _directory);
        var received = await again.Client.ReceiveAsync("orders", "billing");

        Assert.Equal("kept", Assert.Single(received).Body.ToStringUtf8());
    }

    private ServerOptions Options() => new()
    {
        DataDirectory = _directory,
        Client = new ClientOptions { ListenAddress = "127.0.0.1", Port = 0 },
        Storage = new StorageOptions { SegmentBytes = 16 << 20 },
    };
}
