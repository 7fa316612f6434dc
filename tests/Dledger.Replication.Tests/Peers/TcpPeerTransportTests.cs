using System.Net;
using System.Net.Sockets;
using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Replication.Peers;
using Dledger.Replication.Tests.Clusters;
using Xunit.Abstractions;

namespace Dledger.Replication.Tests.Peers;

public sealed class TcpPeerTransportTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_stranger_that_speaks_garbage_is_cut_off_and_harms_nobody()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var port = cluster.Nodes[0].Options.Members[0].PeerPort;
        var seed = TimeProvider.System.GetUtcNow().Millisecond;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);

        for (var i = 0; i < 50; i++)
        {
            var garbage = new byte[random.Next(1, 300)];
            random.NextBytes(garbage);
            await TalkAsync(port, garbage);
        }

        var leader = await cluster.WaitForLeaderAsync();
        var after = await cluster.ProposeAsync("after");
        await cluster.WaitUntilEqualAsync(after);
        Assert.Equal(leader.Self, (await cluster.WaitForLeaderAsync()).Self);
    }

    [Fact]
    public async Task A_message_that_announces_too_many_bytes_ends_the_connection()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var announced = new PeerMessageHeader(
            PeerMessageType.Hello, int.MaxValue, RaftGroupId.First, new NodeId(2), 1, new Term(1), 0);
        var bytes = new byte[PeerMessageHeader.Length];
        announced.Write(bytes);

        Assert.Equal(0, await TalkAsync(cluster.Nodes[0].Options.Members[0].PeerPort, bytes));
        await cluster.ProposeAsync("after");
    }

    [Fact]
    public async Task A_message_before_the_hello_ends_the_connection()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var term = cluster.Nodes[0].Running.Status.Term;
        var buffer = new byte[PeerMessageCodec.EncodedBytesMax];
        var length = PeerMessageCodec.Write(
            new Resigning { From = new NodeId(2), Session = 1, Term = new Term(1000) }, RaftGroupId.First, buffer);

        Assert.Equal(0, await TalkAsync(cluster.Nodes[0].Options.Members[0].PeerPort, buffer[..length]));
        await cluster.ProposeAsync("after");
        Assert.Equal(term, cluster.Nodes[0].Running.Status.Term);
    }

    [Fact]
    public async Task More_silent_strangers_than_allowed_do_not_keep_members_out()
    {
        await using var cluster = TestCluster.Started(3);
        await cluster.ProposeAsync("before");
        var leader = await cluster.WaitForLeaderAsync();
        var follower = cluster.Nodes.First(node => node != leader);
        var port = leader.Options.Members.Single(member => member.Node == leader.Self).PeerPort;
        var strangers = new List<TcpClient>();
        for (var i = 0; i < 40; i++)
        {
            var stranger = new TcpClient();
            await stranger.ConnectAsync(IPAddress.Loopback, port);
            strangers.Add(stranger);
        }

        await follower.DropAsync();
        follower.Start();

        // The strangers' handshakes time out after two seconds at the latest.
        var after = await cluster.ProposeAsync("after");
        await cluster.WaitUntilEqualAsync(after);
        strangers.ForEach(stranger => stranger.Dispose());
    }

    // Sends bytes and reads until the other side closes; the number of bytes that came back.
    private static async Task<int> TalkAsync(int port, byte[] bytes)
    {
        using var client = new TcpClient();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
            await client.Client.SendAsync(bytes, patience.Token);
            client.Client.Shutdown(SocketShutdown.Send);
            var received = 0;
            var buffer = new byte[1024];
            while (await client.Client.ReceiveAsync(buffer, patience.Token) is var count and > 0)
            {
                received += count;
            }

            return received;
        }
        catch (SocketException)
        {
            // A reset is as good an answer as an orderly close.
            return 0;
        }
    }
}
