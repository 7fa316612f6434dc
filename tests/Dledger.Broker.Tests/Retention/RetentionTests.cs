using Dledger.Broker.Groups;
using Dledger.Broker.Tests.Simulation;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;
using Dledger.Testing.Disks;

namespace Dledger.Broker.Tests.Retention;

public sealed class RetentionTests
{
    private static readonly BrokerOptions Options = new()
    {
        AutoCreateTopics = true,
        RetentionTime = TimeSpan.Zero,
        RetentionBytes = 1,
        CheckpointInterval = TimeSpan.FromSeconds(1),
    };

    [Fact]
    public async Task Messages_before_the_new_start_are_gone_and_every_group_goes_on_behind_them()
    {
        var broker = new TestBroker(Options);
        await broker.CreateTopic("t", queues: 1);
        await broker.Send("t", "never read");
        await broker.Send("t", "leased");
        await broker.Receive("behind", "t", batch: 1);
        await broker.Receive("leasing", "t", batch: 2);
        var kept = await broker.Send("t", "kept");
        Roll(broker, kept.Position);

        Checkpoint(broker);
        broker.Advance(TimeSpan.FromSeconds(10));

        var description = (await broker.Run(node => node.DescribeTopicAsync("t", CancellationToken.None))).Topic;
        Assert.Equal(2, Assert.Single(description!.Queues).Min.Value);
        Assert.Equal("kept", TestBroker.Text(Assert.Single(await broker.Receive("behind", "t"))));
        Assert.Equal("kept", TestBroker.Text(Assert.Single(await broker.Receive("leasing", "t"))));
        Assert.Equal("kept", TestBroker.Text(Assert.Single(await broker.Receive("new", "t"))));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task Messages_finished_out_of_order_do_not_keep_older_ones_from_going()
    {
        var broker = new TestBroker(Options);
        await broker.CreateTopic("t", queues: 1);
        await broker.Send("t", "open");
        await broker.Send("t", "finished");
        var batch = await broker.Receive("g", "t", batch: 2, invisibleSeconds: 3_600);
        Assert.Null(await broker.Ack("g", "t", batch[1]));
        var kept = await broker.Send("t", "kept");
        Roll(broker, kept.Position);
        Checkpoint(broker);

        broker.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal("kept", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task A_handle_of_a_message_that_is_gone_changes_nothing_and_owed_dead_letters_are_forgotten()
    {
        var broker = new TestBroker(Options);
        await broker.CreateTopic("t", queues: 1);
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { MaxAttempts = 1 } });
        await broker.Send("t", "leased");
        var leased = Assert.Single(await broker.Receive("g", "t", invisibleSeconds: 3_600));
        var kept = await broker.Send("t", "kept");
        Roll(broker, kept.Position);
        Checkpoint(broker);
        broker.Advance(TimeSpan.FromSeconds(10));

        await broker.Ack("g", "t", leased);

        broker.Advance(TimeSpan.FromHours(2));
        Assert.Equal("kept", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
        Assert.Null(broker.Node.FindTopic("%DLQ%g"));
        Assert.Equal(broker.StateHash, broker.ReplayedStateHash());
    }

    [Fact]
    public async Task The_log_is_given_free_only_when_two_checkpoints_lie_behind()
    {
        var broker = new TestBroker(Options);
        await broker.CreateTopic("t", queues: 1);
        await broker.Send("t", "old");
        var kept = await broker.Send("t", "kept");
        Roll(broker, kept.Position);
        Checkpoint(broker);
        broker.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(LogPosition.Zero, broker.Log.Released);

        await broker.Send("t", "newer");
        Checkpoint(broker);

        Assert.Equal(kept.Position.Value / 8 * 8, broker.Log.Released.Value);
        broker.Restart(graceful: false);
        Assert.Equal("kept", TestBroker.Text((await broker.Receive("g", "t"))[0]));
    }

    [Fact]
    public async Task Nothing_goes_that_no_durable_checkpoint_covers()
    {
        var broker = new TestBroker(Options with { CheckpointInterval = TimeSpan.FromHours(10) });
        await broker.CreateTopic("t", queues: 1);
        await broker.Send("t", "old");
        var kept = await broker.Send("t", "kept");
        Roll(broker, kept.Position);

        broker.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(2, (await broker.Receive("g", "t")).Count);
    }

    [Fact]
    public async Task A_nearly_full_disk_takes_no_more_messages_and_goes_on_with_the_rest_until_there_is_room()
    {
        var disk = new SimulatedDisk(seed: 1) { CapacityBytes = 100 << 20 };
        var broker = new TestBroker(Options with { RetentionBytes = 0 }, disk);
        await broker.CreateTopic("t", queues: 1);
        await broker.Send("t", "before");
        Fill(disk, 95 << 20);
        broker.Advance(TimeSpan.FromSeconds(10));

        var refused = await broker.Run(node => node.AppendAsync("t", [TestBroker.Draft("late")], CancellationToken.None));

        Assert.Equal(BrokerError.DiskFull, refused.Failure?.Error);
        Assert.Contains("nothing was stored", refused.Failure?.Detail, StringComparison.Ordinal);
        var message = Assert.Single(await broker.Receive("g", "t"));
        await broker.Ack("g", "t", message);

        disk.Delete("ballast");
        broker.Advance(TimeSpan.FromSeconds(10));
        await broker.Send("t", "after");
        Assert.Equal("after", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
    }

    [Fact]
    public async Task A_checkpoint_that_finds_no_room_is_written_later()
    {
        var disk = new SimulatedDisk(seed: 1) { CapacityBytes = 100 << 20 };
        var broker = new TestBroker(Options with { RetentionBytes = 0 }, disk);
        await broker.CreateTopic("t", queues: 1);
        await broker.Send("t", "first");
        Fill(disk, disk.GetSpace().FreeBytes);
        broker.Time.Advance(TimeSpan.FromSeconds(2));

        broker.Log.Maintain();

        disk.Delete("ballast");
        broker.Time.Advance(TimeSpan.FromSeconds(10));
        broker.Log.Maintain();
        broker.Restart(graceful: false);
        Assert.NotEqual(LogPosition.Zero, broker.RestoredAt);
        Assert.Equal("first", TestBroker.Text(Assert.Single(await broker.Receive("g", "t"))));
    }

    private static void Fill(SimulatedDisk disk, long bytes)
    {
        using var file = disk.Open("ballast", DiskOpenMode.CreateNew);
        file.Allocate(bytes);
    }

    // The file that begins with the frame of a message.
    private static void Roll(TestBroker broker, LogPosition message)
    {
        broker.Log.SegmentList.Clear();
        broker.Log.SegmentList.Add(new LogSegment(LogPosition.Zero, 0));
        broker.Log.SegmentList.Add(new LogSegment(new LogPosition(message.Value / 8 * 8), broker.Log.LogTimeNow));
    }

    private static void Checkpoint(TestBroker broker)
    {
        broker.Time.Advance(TimeSpan.FromSeconds(2));
        broker.Log.Maintain();
    }
}
