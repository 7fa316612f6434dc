using Dledger.Primitives;
using Dledger.Raft.Quorums;
using Dledger.Replication.Members;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;
using Dledger.Storage.Records;

namespace Dledger.Replication.Tests.Members;

public sealed class StoredConfigurationsTests
{
    private static readonly NodeMetadata Metadata = new()
    {
        Node = new NodeId(1),
        StorageId = StorageOf(1),
        Genesis = new Genesis(Guid.AllBitsSet, [.. Enumerable.Range(1, 3).Select(node => new GenesisVoter(new NodeId(node), StorageOf(node)))]),
    };

    private static readonly Configuration Founders = Voters(1, 2, 3);

    [Fact]
    public void A_whole_log_begins_with_the_founders()
    {
        var joint = Joint([1, 2, 3], [2, 3]);

        Assert.Equal([(0, Founders)], Read(start: 0));
        Assert.Equal([(0, Founders), (100, joint), (200, Voters(2, 3))], Read(0, (100, joint), (200, Voters(2, 3))));
    }

    [Fact]
    public void A_log_that_begins_later_has_all_from_the_one_in_force_there_on()
    {
        // One that is cut away again must leave the one before it in force; and each must be there for a snapshot.
        var joint = Joint([2], [1, 2]);

        Assert.Equal(
            [(100, Voters(2)), (700, joint), (800, Voters(1, 2))],
            Read(500, (100, Voters(2)), (700, joint), (800, Voters(1, 2))));
    }

    [Fact]
    public void A_log_that_begins_later_and_had_no_change_before_begins_with_the_founders()
    {
        var joint = Joint([1, 2, 3], [2, 3]);

        Assert.Equal([(0, Founders)], Read(start: 500));
        Assert.Equal([(0, Founders), (700, joint)], Read(500, (700, joint)));
    }

    [Fact]
    public void A_log_whose_first_configuration_is_missing_is_refused()
    {
        Assert.Null(StoredConfigurations.Read(Metadata, [Store(700, Voters(2))], new LogPosition(500), null, out var fault));

        Assert.Contains("the configuration at 700 does not follow the one before", fault, StringComparison.Ordinal);
    }

    private static List<(long Position, Configuration Configuration)> Read(
        long start, params (long Position, Configuration Configuration)[] stored)
    {
        var history = StoredConfigurations.Read(
            Metadata, [.. stored.Select(each => Store(each.Position, each.Configuration))], new LogPosition(start), null, out var fault);
        Assert.Null(fault);
        return [.. history!.Select(entry => (entry.Position.Value, entry.Configuration))];
    }

    private static LogConfiguration Store(long position, Configuration configuration)
    {
        var record = ConfigurationRecord.Encode(configuration, node => new MemberPlace(node, $"node-{node}", 9000));
        RecordView.Seal(record, new LogPosition(position + FrameHeader.Size), logTime: 1);
        return new LogConfiguration(new LogPosition(position), record);
    }

    private static Configuration Voters(params int[] nodes) => new(nodes.Select(MemberOf));

    private static Configuration Joint(int[] old, int[] next) => new(old.Select(MemberOf), votersNew: next.Select(MemberOf));

    private static Member MemberOf(int node) => new(new NodeId(node), StorageOf(node));

    private static Guid StorageOf(int node) => new(node, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]);
}
