using Dledger.Primitives;
using Dledger.Replication.Bulk;
using Dledger.Replication.Peers;
using Dledger.Testing.Golden;

namespace Dledger.Replication.Tests.Bulk;

public sealed class BulkCodecTests
{
    private static readonly BulkRequest[] Requests =
    [
        new ReadLogRange(new LogPosition(0x0102030405060708), 0x11121314),
        new OpenSnapshot(),
        new ReadSnapshotManifest(0xCAFEBABE, 0x21222324, 0x31323334),
        new ReadSnapshotPart(0xCAFEBABE, 0x41424344, 0x5152535455565758, 0x61626364),
    ];

    private static readonly BulkReply Reply = BulkReply.Found(new byte[] { 1, 2, 3, 4, 5 });

    [Fact]
    public void The_bytes_of_every_message_are_those_of_the_golden_file()
    {
        var bytes = Requests.SelectMany(Write).Concat(Write(Reply)).Concat(Write(BulkReply.Of(BulkOutcome.Gone)));

        GoldenFile.Check("bulk-messages-v1.hex", bytes.ToArray());
    }

    [Fact]
    public void Every_message_is_read_back_as_it_was_written()
    {
        foreach (var request in Requests)
        {
            Assert.Equal(request, BulkCodec.TryReadRequest(BodyOf(Write(request)).Span));
        }

        var read = BulkCodec.TryReadReply(BodyOf(Write(Reply)));
        Assert.Equal(BulkOutcome.Found, read!.Outcome);
        Assert.Equal(Reply.Bytes.ToArray(), read.Bytes.ToArray());
    }

    [Fact]
    public void A_message_with_any_bit_flipped_or_cut_short_is_none()
    {
        foreach (var request in Requests)
        {
            var body = BodyOf(Write(request)).ToArray();
            ForEachDamage(body, damaged => Assert.Null(BulkCodec.TryReadRequest(damaged)));
        }

        ForEachDamage(
            BodyOf(Write(Reply)).ToArray(), damaged => Assert.Null(BulkCodec.TryReadReply(damaged)));
    }

    private static void ForEachDamage(byte[] body, Action<byte[]> check)
    {
        for (var bit = 0; bit < body.Length * 8; bit++)
        {
            var damaged = body.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            check(damaged);
        }

        for (var length = 0; length < body.Length; length++)
        {
            check(body[..length]);
        }
    }

    private static byte[] Write(BulkRequest request) =>
        BulkCodec.Write(request, new RaftGroupId(7), new NodeId(3), session: 11);

    private static byte[] Write(BulkReply reply) =>
        [.. BulkCodec.WriteHead(reply, new RaftGroupId(7), new NodeId(3), session: 11), .. reply.Bytes.Span];

    private static ReadOnlyMemory<byte> BodyOf(byte[] message) => message.AsMemory(PeerMessageHeader.Length);
}
