using Dledger.Broker.Tests.Simulation;
using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Testing.Disks;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dledger.Broker.Tests.Checkpoints;

public sealed class CheckpointTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_graceful_restart_continues_at_the_end_and_applies_nothing_again()
    {
        var broker = await Busy(new TestBroker());
        var (hash, end) = (broker.StateHash, broker.Log.End);

        broker.Restart(graceful: true);

        Assert.Equal(end, broker.RestoredAt);
        Assert.Equal(hash, broker.HashAt(end));
    }

    [Fact]
    public async Task A_killed_process_applies_only_what_lies_behind_its_checkpoint()
    {
        var broker = await Busy(new TestBroker());
        WriteCheckpoint(broker);
        var checkpoint = broker.Log.End;
        await Busy(broker);
        var hash = broker.StateHash;
        var end = broker.Log.End;

        broker.Restart(graceful: false);

        Assert.Equal(checkpoint, broker.RestoredAt);
        Assert.Equal(hash, broker.HashAt(end));
    }

    [Fact]
    public async Task Without_a_checkpoint_the_whole_log_is_applied()
    {
        var broker = await Busy(new TestBroker());
        var (hash, end) = (broker.StateHash, broker.Log.End);

        broker.Restart(graceful: false);

        Assert.Equal(LogPosition.Zero, broker.RestoredAt);
        Assert.Equal(hash, broker.HashAt(end));
    }

    [Fact]
    public async Task A_state_beyond_the_own_durable_log_is_not_written()
    {
        var broker = await Busy(new TestBroker());
        broker.Log.Durable = new LogPosition(broker.Log.End.Value - 8);

        broker.Restart(graceful: true);

        Assert.Equal(LogPosition.Zero, broker.RestoredAt);
    }

    [Fact]
    public async Task A_checkpoint_beyond_the_durable_end_is_passed_over()
    {
        var broker = await Busy(new TestBroker());
        broker.Node.StateMachine.Stop();
        var written = broker.Log.End;

        using var twin = new BrokerNode(
            new BrokerOptions(), broker.Disk, "", broker.Time, NullLoggerFactory.Instance);

        var shorter = broker.Log.RecoveredTo(new LogPosition(written.Value - 8));
        Assert.Equal(LogPosition.Zero, twin.StateMachine.Restore(shorter));
    }

    // A node that was told to cut its log wrote a checkpoint of the new history and died before the cut was on disk.
    [Fact]
    public async Task A_checkpoint_of_another_history_than_the_log_beside_it_is_passed_over()
    {
        var broker = await Busy(new TestBroker());
        broker.Node.StateMachine.Stop();
        var other = new TestBroker(disk: new SimulatedDisk(seed: 9));
        other.Time.Advance(TimeSpan.FromSeconds(1));
        await Busy(other);
        await other.Send("orders", "one more");

        using var twin = new BrokerNode(
            new BrokerOptions(), broker.Disk, "", broker.Time, NullLoggerFactory.Instance);

        Assert.True(other.Log.End > broker.Log.End);
        Assert.Equal(LogPosition.Zero, twin.StateMachine.Restore(other.Log.RecoveredTo(other.Log.End)));
    }

    [Fact]
    public async Task A_power_loss_after_a_checkpoint_loses_no_index_entry_of_it()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var disk = new SimulatedDisk(seed);
            var broker = await Busy(new TestBroker(disk: disk));
            WriteCheckpoint(broker);
            var checkpoint = broker.Log.End;
            await Busy(broker);
            broker.Log.Maintain();
            var (hash, end) = (broker.StateHash, broker.Log.End);

            disk.Crash();
            disk.LosePower();
            broker.Restart(graceful: false);

            Assert.True(checkpoint == broker.RestoredAt, $"seed {seed}: restored at {broker.RestoredAt}");
            Assert.True(hash == broker.HashAt(end), $"seed {seed}: another state");
        }
    }

    [Fact]
    public async Task A_checkpoint_whose_queue_files_are_gone_is_replaced_by_the_log()
    {
        var disk = new SimulatedDisk(1);
        var broker = await Busy(new TestBroker(disk: disk));
        var (hash, end) = (broker.StateHash, broker.Log.End);
        broker.Node.StateMachine.Stop();
        foreach (var topic in disk.List("cq"))
        {
            foreach (var queue in disk.List($"cq/{topic}"))
            {
                foreach (var file in disk.List($"cq/{topic}/{queue}"))
                {
                    disk.Delete($"cq/{topic}/{queue}/{file}");
                }
            }
        }

        broker.Restart(graceful: false);

        Assert.Equal(LogPosition.Zero, broker.RestoredAt);
        Assert.Equal(hash, broker.HashAt(end));
    }

    [Fact]
    public async Task A_deleted_topic_keeps_its_index_until_a_checkpoint_without_it_is_durable()
    {
        var broker = await Busy(new TestBroker());
        broker.Restart(graceful: true);
        var checkpoint = broker.RestoredAt;
        Assert.Null(await broker.Run(node => node.DeleteTopicAsync("t", None)));

        broker.Restart(graceful: false);
        Assert.Equal(checkpoint, broker.RestoredAt);
        Assert.Null(broker.Node.FindTopic("t"));
        broker.Restart(graceful: true);

        Assert.Equal(["2"], broker.Disk.List("cq").Where(topic => broker.Disk.List($"cq/{topic}").Count > 0));
    }

    [Fact]
    public async Task A_checkpoint_is_written_after_so_many_bytes_of_log()
    {
        var broker = new TestBroker(new BrokerOptions { AutoCreateTopics = true, CheckpointBytes = 1 << 20 });
        await broker.Send("t", "small");
        broker.Log.Maintain();
        Assert.Empty(broker.Disk.List("state"));

        var large = TestBroker.Draft("large") with { Body = new byte[1 << 20] };
        Assert.True((await broker.Run(node => node.AppendAsync("t", [large], None))).Succeeded);
        broker.Log.Maintain();

        Assert.Single(broker.Disk.List("state"));
    }

    [Fact]
    public async Task Frames_are_applied_while_a_checkpoint_is_written_and_it_describes_the_moment_of_its_cut()
    {
        var broker = await Busy(new TestBroker());
        broker.Time.Advance(TimeSpan.FromMinutes(6));
        broker.Settle();
        var cut = broker.Log.End;
        var write = broker.Log.BeginMaintenance();
        Assert.NotNull(write);

        Assert.Null(await broker.Run(node => node.DeleteTopicAsync("u", None)));
        await broker.Send("t", "while it is written");
        Assert.Empty(broker.Disk.List("state"));
        write();
        broker.Log.Maintain();
        var (hash, end) = (broker.StateHash, broker.Log.End);
        broker.Restart(graceful: false);

        Assert.Equal(cut, broker.RestoredAt);
        Assert.Equal(hash, broker.HashAt(end));
    }

    // A majority that needs a snapshot commits nothing before it has one, so the next checkpoint must not wait for new frames.
    [Fact]
    public async Task A_rotten_checkpoint_is_not_sent_and_another_one_is_written_although_nothing_was_applied()
    {
        var broker = await Busy(new TestBroker());
        WriteCheckpoint(broker);
        var position = Assert.Single(broker.Disk.List("state"));
        broker.Disk.Corrupt($"state/{position}/groups", 3);

        Assert.Throws<DamagedFileException>(() => broker.Node.StateMachine.OpenSnapshot(default, default));
        broker.Log.Maintain();

        using var snapshot = broker.Node.StateMachine.OpenSnapshot(default, default);
        Assert.Equal(position, GroupLayout.NameOf(snapshot!.Manifest.Applied));
    }

    [Fact]
    public async Task A_checkpoint_that_was_cut_and_never_written_changes_nothing()
    {
        var broker = await Busy(new TestBroker());
        broker.Time.Advance(TimeSpan.FromMinutes(6));
        broker.Settle();
        Assert.NotNull(broker.Log.BeginMaintenance());
        var (hash, end) = (broker.StateHash, broker.Log.End);

        broker.Restart(graceful: true);

        Assert.Equal(end, broker.RestoredAt);
        Assert.Equal(hash, broker.HashAt(end));
    }

    [Fact]
    public async Task A_node_that_is_restarted_again_and_again_does_not_have_more_and_more_to_apply()
    {
        var broker = new TestBroker(new BrokerOptions { AutoCreateTopics = true });
        var large = TestBroker.Draft("large") with { Body = new byte[3 << 20] };
        for (var i = 0; i < 12; i++)
        {
            Assert.True((await broker.Run(node => node.AppendAsync("t", [large], None))).Succeeded);
        }

        broker.Log.Maintain();
        Assert.Empty(broker.Disk.List("state"));
        broker.Restart(graceful: false);
        broker.Time.Advance(TimeSpan.FromSeconds(11));
        broker.Settle();
        broker.Log.Maintain();

        Assert.Single(broker.Disk.List("state"));
    }

    [Fact]
    public async Task A_quiet_broker_writes_no_second_checkpoint()
    {
        var broker = await Busy(new TestBroker());
        WriteCheckpoint(broker);
        var before = broker.Disk.OperationCount;

        broker.Time.Advance(TimeSpan.FromMinutes(6));
        broker.Log.Maintain();

        Assert.Equal(before, broker.Disk.OperationCount);
    }

    // One is due after five minutes.
    private static void WriteCheckpoint(TestBroker broker)
    {
        broker.Time.Advance(TimeSpan.FromMinutes(6));
        broker.Settle();
        broker.Log.Maintain();
    }

    private static async Task<TestBroker> Busy(TestBroker broker)
    {
        await broker.Run(node => node.FindOrCreateTopicAsync("t", None));
        await broker.Run(node => node.FindOrCreateTopicAsync("u", None));
        for (var i = 0; i < 30; i++)
        {
            await broker.Send("t", $"m{i}", i % 3 == 0 ? "a" : "b");
            await broker.Send("u", $"m{i}");
        }

        var messages = await broker.Receive("g", "t", batch: 10, invisibleSeconds: 2, attemptId: "attempt");
        await broker.Receive("h", "t", batch: 7, filter: "a", invisibleSeconds: 3600);
        await broker.Ack("g", "t", messages[3]);
        await broker.Run(node => node.ChangeInvisibleAsync(
            "g", "t", messages[4].ReceiptHandle, TimeSpan.FromHours(1), suspend: true, None));
        broker.Advance(TimeSpan.FromSeconds(3));
        await broker.Receive("g", "t", batch: 5, invisibleSeconds: 600, attemptId: "attempt");
        return broker;
    }
}
