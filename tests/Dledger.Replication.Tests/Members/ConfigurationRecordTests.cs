using Dledger.Primitives;
using Dledger.Raft.Quorums;
using Dledger.Replication.Members;
using Dledger.Storage.Frames;
using Dledger.Storage.Records;
using Dledger.Testing.Golden;
using Xunit.Abstractions;

namespace Dledger.Replication.Tests.Members;

public sealed class ConfigurationRecordTests(ITestOutputHelper output)
{
    private static readonly LogPosition Frame = new(4096);

    private static readonly Configuration Joint = new(
        voters: [MemberOf(1, 0x11), MemberOf(2, 0x22)],
        learners: [MemberOf(200, 0x44)],
        votersNew: [MemberOf(1, 0x11), MemberOf(2, 0x33)]);

    [Fact]
    public void A_configuration_keeps_its_bytes()
    {
        var record = ConfigurationRecord.Encode(Joint, PlaceOf);

        GoldenFile.Check("configuration-v1.hex", record);
        var stored = GoldenFile.Read("configuration-v1.hex", record.Length);
        var decoded = ConfigurationRecord.Decode(Seal(stored), Frame, out var places, out var fault);
        Assert.Null(fault);
        Assert.Equal(Joint, decoded);
        Assert.Equal(
            ["1 node-1:9001", "2 node-2:9002", "200 :0"],
            places.Select(place => $"{place.Node} {place.Host}:{place.PeerPort}"));
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_refused()
    {
        var record = Seal(ConfigurationRecord.Encode(Joint, PlaceOf));
        for (var bit = 0; bit < record.Length * 8; bit++)
        {
            record[bit / 8] ^= (byte)(1 << (bit % 8));

            Assert.True(ConfigurationRecord.Decode(record, Frame, out _, out _) is null, $"bit {bit}");
            record[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [InlineData(0, 2, "version 2")]
    [InlineData(4, 3, "another length")]
    [InlineData(4, 0, "another length")]
    [InlineData(4, 200, "200")]
    [InlineData(12, 0, "without a number")]
    [InlineData(12, 2, "twice")]
    public void A_record_that_is_no_configuration_is_refused_with_the_reason(int at, byte value, string reason)
    {
        Assert.True(RecordView.TryParse(ConfigurationRecord.Encode(Joint, PlaceOf), out var record, out _));
        var body = record.Body.ToArray();
        body[at] = value;

        var decoded = ConfigurationRecord.Decode(Wrap(body), Frame, out _, out var fault);

        Assert.Null(decoded);
        Assert.Contains(reason, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Cut_and_random_bodies_never_throw()
    {
        Assert.True(RecordView.TryParse(ConfigurationRecord.Encode(Joint, PlaceOf), out var record, out _));
        for (var length = 0; length < record.Body.Length; length++)
        {
            Assert.Null(ConfigurationRecord.Decode(Wrap(record.Body[..length].ToArray()), Frame, out _, out _));
        }

        var seed = TimeProvider.System.GetUtcNow().Millisecond;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var body = record.Body.ToArray();
            for (var j = random.Next(1, 6); j > 0; j--)
            {
                body[random.Next(body.Length)] = (byte)random.Next(256);
            }

            ConfigurationRecord.Decode(Wrap(body), Frame, out _, out _);
        }
    }

    [Fact]
    public void A_record_of_another_kind_or_two_records_are_refused()
    {
        var message = Seal(RecordEncoder.Encode(new RecordFields { Kind = RecordKind.Message }, [], [], new byte[64]));
        var record = Seal(ConfigurationRecord.Encode(Joint, PlaceOf));

        Assert.Null(ConfigurationRecord.Decode(message, Frame, out _, out var kind));
        Assert.Null(ConfigurationRecord.Decode((byte[])[.. record, .. record], Frame, out _, out var count));

        Assert.Contains("of kind Message", kind, StringComparison.Ordinal);
        Assert.Contains("more than one", count, StringComparison.Ordinal);
    }

    private static byte[] Wrap(byte[] body) =>
        Seal(RecordEncoder.Encode(new RecordFields { Kind = RecordKind.Configuration }, [], [], body));

    private static byte[] Seal(byte[] record)
    {
        RecordView.Seal(record, Frame + FrameHeader.Size, logTime: 7);
        return record;
    }

    private static Member MemberOf(int node, byte storage) =>
        new(new NodeId(node), new Guid([.. Enumerable.Repeat(storage, 16)]));

    private static MemberPlace PlaceOf(NodeId node) => node.Value < 100
        ? new MemberPlace(node, $"node-{node}", 9000 + node.Value)
        : new MemberPlace(node, "", 0);
}
