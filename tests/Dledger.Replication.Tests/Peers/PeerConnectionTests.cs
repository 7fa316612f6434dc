using System.Net;
using System.Net.Sockets;
using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Replication.Peers;

namespace Dledger.Replication.Tests.Peers;

/// <summary>A connection whose other end is a bare socket with little room.</summary>
public sealed class PeerConnectionTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Socket _other;
    private readonly PeerConnection _connection;
    private readonly Thread _sender;

    public PeerConnectionTests()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.ReceiveBufferSize = 8 << 10;
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { SendBufferSize = 8 << 10 };
        socket.Connect(listener.LocalEndPoint!);
        _other = listener.Accept();
        _connection = new PeerConnection(socket, new SocketReader(socket), PeerMessages.Group, new NodeId(2), 11, isOutbound: true);
        _sender = new Thread(_connection.RunSender) { IsBackground = true };
        _sender.Start();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Messages_of_all_sizes_arrive_whole_and_in_order_whatever_the_socket_takes_at_once(int seed)
    {
        var random = new Random(seed);
        var expected = new List<byte>();
        var messages = Enumerable.Range(0, 400).Select(_ => Make(random, expected)).ToList();
        var sending = new Thread(() => messages.ForEach(pair => _connection.Send(pair.Message, pair.Range)));
        sending.Start();

        var received = new byte[expected.Count];
        for (var at = 0; at < received.Length;)
        {
            at += _other.Receive(received.AsSpan(at, Math.Min(received.Length - at, random.Next(1, 20_000))));
        }

        Assert.True(sending.Join(Patience));
        Assert.True(expected.ToArray().AsSpan().SequenceEqual(received), $"seed {seed}");
    }

    [Fact]
    public void Sending_never_waits_for_a_peer_that_reads_nothing()
    {
        // More than the buffers of the kernel hold; the test would hang here.
        for (var sent = 0; sent < 200; sent++)
        {
            _connection.Send(Reply(sent), [new byte[50_000]]);
        }

        _connection.Close(SessionCloseReason.Local, "the test has seen enough");
        Assert.True(_sender.Join(Patience));
    }

    [Fact]
    public void A_broken_connection_ends_both_ways_of_sending()
    {
        _other.Close(0);
        for (var sent = 0; _sender.IsAlive; sent++)
        {
            _connection.Send(Reply(sent), []);
            _sender.Join(1);
        }

        _connection.Send(Reply(0), []);
        Assert.Equal(SessionCloseReason.PeerReset, _connection.CloseReason);
    }

    [Fact]
    public void What_is_sent_on_a_closed_connection_is_forgotten()
    {
        _connection.Close(SessionCloseReason.Local, "over");
        _connection.Send(Reply(1), []);
        _connection.Send(Reply(2), [new byte[100_000]]);
        _connection.WaitUntilDrained(Patience);

        Assert.True(_sender.Join(Patience));
        Assert.Equal("over", _connection.CloseDetail);
    }

    public void Dispose()
    {
        _connection.Close(SessionCloseReason.Local, "the test is over");
        _other.Dispose();
    }

    private static (PeerMessage Message, IReadOnlyList<ReadOnlyMemory<byte>> Range) Make(Random random, List<byte> expected)
    {
        var message = Reply(random.Next());
        var head = new byte[PeerMessageCodec.EncodedBytesMax];
        expected.AddRange(head.AsSpan(0, PeerMessageCodec.Write(message, PeerMessages.Group, head)));
        var range = new List<ReadOnlyMemory<byte>>();
        for (var pieces = random.Next(3); pieces > 0; pieces--)
        {
            var piece = new byte[random.Next(random.Next(4) == 0 ? 100_000 : 3_000)];
            random.NextBytes(piece);
            range.Add(piece);
            expected.AddRange(piece);
        }

        return (message, range);
    }

    private static AppendReply Reply(long sentAt) => new()
    {
        From = new NodeId(1),
        Session = 11,
        Term = new Term(12),
        Stream = 13,
        SentAt = sentAt,
        Durable = new LogPosition(15),
        Received = new LogPosition(16),
        Applied = new LogPosition(17),
        SyncAge = 18,
    };
}
