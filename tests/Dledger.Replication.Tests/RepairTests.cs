using Dledger.Primitives;
using Dledger.Replication.Tests.Clusters;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Tests;

public sealed class RepairTests
{
    [Fact]
    public async Task A_log_that_rotted_below_the_watermark_comes_back_from_the_other_nodes()
    {
        await using var cluster = TestCluster.Started(3);
        var position = await cluster.ProposeAsync("before");
        await cluster.WaitUntilEqualAsync(position);
        var damaged = cluster.Nodes.First(node => !node.Running.Status.IsServing);
        await damaged.DropAsync();
        var intact = ReadSegment(damaged);
        FlipByte(damaged, FirstFrame + 70);

        damaged.Start();

        var after = await cluster.ProposeAsync("after");
        await cluster.WaitUntilEqualAsync(after);
        Assert.Contains((position, "before"), damaged.Machine.Messages);
        var mended = ReadSegment(damaged);
        var end = Array.FindLastIndex(intact, value => value != 0) + 1;
        Assert.Equal(intact[FirstFrame..end], mended[FirstFrame..end]);
    }

    [Fact]
    public async Task A_damaged_node_neither_votes_nor_serves_before_its_log_is_whole()
    {
        await using var cluster = TestCluster.Started(3);
        var position = await cluster.ProposeAsync("before");
        await cluster.WaitUntilEqualAsync(position);
        var damaged = cluster.Nodes.First(node => !node.Running.Status.IsServing);
        foreach (var node in cluster.Nodes)
        {
            await node.DropAsync();
        }

        FlipByte(damaged, FirstFrame + 70);
        damaged.Start();

        // Nobody else is there: it says what is wrong and waits.
        await Eventually.TrueAsync(
            () => damaged.Running.Status.UnavailableReason?.Contains("damaged", StringComparison.Ordinal) == true,
            "the node says that its log is damaged",
            cluster.Describe);
        Assert.Equal(ReplicationRole.Passive, damaged.Running.Status.Role);
        var outcome = await TestCluster.TryProposeAsync(damaged, "not here");
        Assert.Equal(ProposalFailureKind.Unavailable, outcome.Failure!.Value.Kind);

        // The other two elect a leader without it, and then it can be mended.
        foreach (var node in cluster.Nodes.Where(node => node != damaged))
        {
            node.Start();
        }

        var after = await cluster.ProposeAsync("after");
        await cluster.WaitUntilEqualAsync(after);
        Assert.Contains((position, "before"), damaged.Machine.Messages);
    }

    [Fact]
    public async Task A_node_alone_with_a_damaged_log_says_so_and_serves_nothing()
    {
        await using var cluster = TestCluster.Started(1);
        await cluster.ProposeAsync("before");
        var node = cluster.Nodes[0];
        await node.DropAsync();
        FlipByte(node, FirstFrame + 70);

        node.Start();

        await Eventually.TrueAsync(
            () => node.Running.Status.UnavailableReason?.Contains("corrupt", StringComparison.Ordinal) == true,
            "the node says that its log is corrupt",
            cluster.Describe);
        Assert.False(node.Running.Status.IsServing);
    }

    [Fact]
    public async Task Rot_in_the_sealed_log_of_a_serving_node_is_found_and_mended_in_place()
    {
        await using var cluster = new TestCluster(3);
        foreach (var node in cluster.Nodes)
        {
            node.Options = SmallSegments(node.Options) with { ScrubInterval = TimeSpan.FromMilliseconds(20) };
            node.Start();
        }

        var position = await FillAsync(cluster);
        var damaged = cluster.Nodes.First(node => !node.Running.Status.IsServing);
        var intact = ReadSegment(damaged);

        FlipByte(damaged, FirstFrame + 70);

        await Eventually.TrueAsync(
            () => ReadSegment(damaged).AsSpan().SequenceEqual(intact),
            "the first segment is what it was",
            cluster.Describe);
        Assert.Null(damaged.Running.Status.UnavailableReason);
        Assert.Equal(1, damaged.Machine.RestoreCount);
        await cluster.WaitUntilEqualAsync(position);
    }

    [Fact]
    public async Task A_reader_that_meets_rot_sends_the_scrubber_there_at_once()
    {
        await using var cluster = new TestCluster(3);
        foreach (var node in cluster.Nodes)
        {
            node.Options = SmallSegments(node.Options);
            node.Start();
        }

        await FillAsync(cluster);
        var damaged = cluster.Nodes.First(node => !node.Running.Status.IsServing);
        var intact = ReadSegment(damaged);
        FlipByte(damaged, FirstFrame + 70);

        await Eventually.TrueAsync(
            () =>
            {
                damaged.Running.ReportUnreadable(LogPosition.Zero);
                return ReadSegment(damaged).AsSpan().SequenceEqual(intact);
            },
            "the first segment is what it was",
            cluster.Describe);
    }

    [Fact]
    public async Task A_log_that_is_damaged_where_it_is_written_is_opened_anew_and_mended()
    {
        await using var cluster = TestCluster.Started(3);
        var position = await cluster.ProposeAsync("before");
        await cluster.WaitUntilEqualAsync(position);
        var damaged = await cluster.WaitForLeaderAsync();
        FlipByte(damaged, FirstFrame + 70);

        damaged.Running.ReportUnreadable(LogPosition.Zero);

        await Eventually.TrueAsync(() => damaged.Machine.RestoreCount == 2, "the log is opened anew", cluster.Describe);
        var after = await cluster.ProposeAsync("after");
        await cluster.WaitUntilEqualAsync(after);
        Assert.Contains((position, "before"), damaged.Machine.Messages);
        Assert.False(damaged.HasFaulted);
    }

    [Fact]
    public async Task A_lost_log_comes_back_as_a_whole_and_its_node_decides_nothing_before()
    {
        await using var cluster = TestCluster.Started(3);
        var position = await cluster.ProposeAsync("before");
        await cluster.WaitUntilEqualAsync(position);
        var damaged = cluster.Nodes.First(node => !node.Running.Status.IsServing);
        await damaged.DropAsync();
        Directory.Delete(Path.Combine(damaged.Directory, "log"), recursive: true);

        damaged.Start();

        var after = await cluster.ProposeAsync("after");
        await cluster.WaitUntilEqualAsync(after);
        Assert.Contains((position, "before"), damaged.Machine.Messages);
        Assert.Contains(damaged.Log.Lines, line => line.Contains("gives its log up", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_segment_of_another_node_is_refused_and_kept()
    {
        await using var cluster = TestCluster.Started(3);
        var position = await cluster.ProposeAsync("before");
        await cluster.WaitUntilEqualAsync(position);
        var mixed = cluster.Nodes.First(node => !node.Running.Status.IsServing);
        var other = cluster.Nodes.First(node => node != mixed && !node.Running.Status.IsServing);
        await mixed.DropAsync();
        await other.DropAsync();
        File.Copy(FirstSegment(other), FirstSegment(mixed), overwrite: true);
        var before = ReadSegment(mixed);

        mixed.Start();
        other.Start();

        await Eventually.TrueAsync(
            () => mixed.Running.Status.UnavailableReason?.Contains("belongs to", StringComparison.Ordinal) == true,
            "the node says whose file it is",
            cluster.Describe);
        await cluster.ProposeAsync("after");
        Assert.Equal(before, ReadSegment(mixed));
    }

    private const int FirstFrame = 4096;

    private static ReplicationOptions SmallSegments(ReplicationOptions options) => options with
    {
        Log = new CommitLogOptions
        {
            SegmentBytes = 256 << 10,
            SpareCount = 1,
            ZeroFillSpares = false,
            FrameBytesMax = 64 << 10,
        },
        FrameBytesTarget = 32 << 10,
    };

    private static async Task<LogPosition> FillAsync(TestCluster cluster)
    {
        var position = LogPosition.Zero;
        var body = new string('x', 30_000);
        for (var i = 0; i < 20; i++)
        {
            position = await cluster.ProposeAsync(body);
        }

        await cluster.WaitUntilEqualAsync(position);
        return position;
    }

    private static string FirstSegment(TestNode node) =>
        Path.Combine(node.Directory, "log", new string('0', 20));

    private static byte[] ReadSegment(TestNode node)
    {
        using var file = new FileStream(FirstSegment(node), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private static void FlipByte(TestNode node, int offset)
    {
        using var file = new FileStream(FirstSegment(node), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Position = offset;
        var value = file.ReadByte();
        file.Position -= 1;
        file.WriteByte((byte)(value ^ 0x40));
    }
}
