using Dledger.Broker.Groups;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;
using Dledger.Storage.Checkpoints;
using Dledger.Testing.Golden;

namespace Dledger.Broker.Tests.Checkpoints;

public sealed class StateGoldenTests
{
    [Theory]
    [InlineData("meta")]
    [InlineData("topics")]
    [InlineData("groups")]
    [InlineData("leases")]
    public async Task A_part_of_the_checkpoint_is_frozen(string part)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 2);
        await broker.CreateGroup(new GroupSpec { Name = "g", MaxAttempts = 2 });
        for (var i = 0; i < 8; i++)
        {
            await broker.Send("t", $"m{i}", "tag");
        }

        var messages = await broker.Receive("g", "t", batch: 4, invisibleSeconds: 60, attemptId: "attempt");
        await broker.Ack("g", "t", messages[1]);
        await broker.Run(node => node.ChangeInvisibleAsync(
            "g", "t", messages[2].ReceiptHandle, TimeSpan.FromSeconds(5), suspend: true, CancellationToken.None));
        broker.Restart(graceful: true);

        var checkpoint = new StateCheckpointStore(broker.Disk, "state").ReadNewest(broker.Log.End, out _);

        GoldenFile.Check($"state-{part}-v1.hex", checkpoint!.Parts[part]);
    }

    [Fact]
    public async Task The_part_of_topics_is_frozen_in_its_second_version_which_a_topic_with_a_retention_needs()
    {
        var broker = new TestBroker();
        await broker.CreateTopic("plain", queues: 1);
        var spec = new TopicSpec
        {
            Name = "t",
            QueueCount = 2,
            RetentionTime = TimeSpan.FromHours(2),
            RetentionBytes = 1 << 30,
        };
        await broker.Run(node => node.CreateTopicAsync(spec, CancellationToken.None));
        await broker.Send("t", "m");
        broker.Restart(graceful: true);

        var checkpoint = new StateCheckpointStore(broker.Disk, "state").ReadNewest(broker.Log.End, out _);

        GoldenFile.Check("state-topics-v2.hex", checkpoint!.Parts["topics"]);
        Assert.Equal(spec.RetentionTime, broker.Node.FindTopic("t")?.Retention.Time);
        Assert.Null(broker.Node.FindTopic("plain")?.Retention.Time);
    }
}
