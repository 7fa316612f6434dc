using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Replication.Peers;
using Dledger.Testing.Golden;
using Xunit.Abstractions;

namespace Dledger.Replication.Tests.Peers;

public sealed class PeerMessageCodecTests(ITestOutputHelper output)
{
    private static readonly PeerIntroduction Introduction = new()
    {
        Group = PeerMessages.Group,
        Node = new NodeId(3),
        ClusterId = PeerMessages.ClusterId,
        StorageId = Guid.AllBitsSet,
        State = PeerState.Normal,
        Term = new Term(12),
        LastTerm = new Term(10),
        Start = new LogPosition(1),
        End = new LogPosition(900),
        Durable = new LogPosition(800),
        WallClock = 1_700_000_000_000_002,
        ClientAddress = "node-3.example:8081",
    };

    [Fact]
    public void The_bytes_of_every_message_are_those_of_the_golden_file()
    {
        byte[][] messages =
        [
            .. PeerMessages.All.Select(PeerMessages.Encode),
            HelloCodec.WriteHello(Introduction, 11),
            HelloCodec.WriteReply(Introduction, 11, null),
            HelloCodec.WriteReply(Introduction, 11, "not you"),
        ];

        GoldenFile.Check("peer-messages-v2.hex", messages.SelectMany(bytes => bytes).ToArray());
    }

    [Fact]
    public void An_answer_that_says_how_full_the_disk_is_is_frozen_and_its_body_is_that_of_one_that_does_not()
    {
        var silent = PeerMessages.All.OfType<AppendReply>().First();
        var saying = silent with { DiskUsedPercent = 97 };

        var bytes = PeerMessages.Encode(saying);

        GoldenFile.Check("append-reply-disk-v2.hex", bytes);
        Assert.Equal(BodyOf(PeerMessages.Encode(silent)).ToArray(), BodyOf(bytes).ToArray());
        Assert.Equivalent(saying, Read(bytes), strict: true);
        Assert.Equivalent(saying with { DiskUsedPercent = 0 }, Read(PeerMessages.Encode(saying with { DiskUsedPercent = 0 })), strict: true);
    }

    [Fact]
    public void Every_message_is_read_back_as_it_was_written()
    {
        foreach (var message in PeerMessages.All)
        {
            var read = Read(PeerMessages.Encode(message));

            Assert.Equivalent(message, read, strict: true);
        }
    }

    [Fact]
    public void An_introduction_and_a_refusal_are_read_back_as_they_were_written()
    {
        var hello = HelloCodec.WriteHello(Introduction, 11);
        var reply = HelloCodec.WriteReply(Introduction, 11, null);
        var refusal = HelloCodec.WriteReply(Introduction, 11, "not you");

        Assert.Equal(Introduction, HelloCodec.TryReadHello(HeaderOf(hello), BodyOf(hello)));
        Assert.True(HelloCodec.TryReadReply(HeaderOf(reply), BodyOf(reply), out var introduction, out var reason));
        Assert.Equal(Introduction, introduction);
        Assert.Null(reason);
        Assert.True(HelloCodec.TryReadReply(HeaderOf(refusal), BodyOf(refusal), out introduction, out reason));
        Assert.Null(introduction);
        Assert.Equal("not you", reason);
        Assert.Equal(11, HeaderOf(hello).Session);
    }

    [Fact]
    public void A_flipped_bit_anywhere_makes_a_message_unreadable()
    {
        foreach (var message in PeerMessages.All)
        {
            var bytes = PeerMessages.Encode(message);
            for (var bit = 0; bit < bytes.Length * 8; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.Null(Read(bytes));
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Fact]
    public void Cut_bodies_are_refused_even_when_their_checksum_is_right()
    {
        foreach (var message in PeerMessages.All)
        {
            var bytes = PeerMessages.Encode(message);
            var header = HeaderOf(bytes);
            var content = BodyOf(bytes)[..^4].ToArray();
            for (var length = 0; length < content.Length; length++)
            {
                var body = new byte[length + 4];
                content.AsSpan(0, length).CopyTo(body);
                BitConverter.TryWriteBytes(body.AsSpan(length), Crc32C.Compute(content.AsSpan(0, length)));
                Assert.Null(PeerMessageCodec.TryRead(header with { BodyLength = body.Length }, body));
            }
        }
    }

    [Fact]
    public void Random_bodies_with_right_checksums_never_throw()
    {
        var seed = TimeProvider.System.GetUtcNow().Millisecond;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var body = new byte[random.Next(4, 200)];
            random.NextBytes(body);
            BitConverter.TryWriteBytes(body.AsSpan(body.Length - 4), Crc32C.Compute(body.AsSpan(0, body.Length - 4)));
            var header = new PeerMessageHeader(
                (PeerMessageType)random.Next(0, 30), body.Length, PeerMessages.Group, new NodeId(1), 1, new Term(1),
                random.Next());

            PeerMessageCodec.TryRead(header, body);
            HelloCodec.TryReadHello(header, body);
            HelloCodec.TryReadReply(header, body, out _, out _);
        }
    }

    [Fact]
    public void Every_message_fits_the_limit_of_its_type_and_unknown_types_have_none()
    {
        var limits = new PeerMessageLimits(1 << 20);
        foreach (var bytes in PeerMessages.All.Select(PeerMessages.Encode))
        {
            Assert.True(HeaderOf(bytes).BodyLength <= limits.BodyBytesMax(HeaderOf(bytes).Type));
        }

        var known = Enum.GetValues<PeerMessageType>().Where(type => type != PeerMessageType.None).ToHashSet();
        for (var type = 0; type <= ushort.MaxValue; type++)
        {
            Assert.Equal(
                known.Contains((PeerMessageType)type), limits.BodyBytesMax((PeerMessageType)type) > 0);
        }
    }

    private static PeerMessage? Read(byte[] bytes)
    {
        if (!PeerMessageHeader.TryParse(bytes, out var header, out _) || header.Group != PeerMessages.Group
            || header.BodyLength != bytes.Length - PeerMessageHeader.Length)
        {
            return null;
        }

        return PeerMessageCodec.TryRead(header, bytes.AsMemory(PeerMessageHeader.Length));
    }

    private static PeerMessageHeader HeaderOf(byte[] bytes)
    {
        Assert.True(PeerMessageHeader.TryParse(bytes, out var header, out var fault), fault);
        return header;
    }

    private static ReadOnlySpan<byte> BodyOf(byte[] bytes) => bytes.AsSpan(PeerMessageHeader.Length);
}
