using Dledger.Broker.Groups;
using Dledger.Broker.Tests.Simulation;
using Dledger.Broker.Topics;
using Dledger.Storage.Checkpoints;
using Dledger.Testing.Golden;

namespace Dledger.Broker.Tests.Checkpoints;

public sealed class StateGoldenTests
{
    [Theory]
    [InlineData("meta", 1)]
    [InlineData("topics", 3)]
    [InlineData("groups", 3)]
    [InlineData("leases", 1)]
    [InlineData("resent", 1)]
    public async Task A_part_of_the_checkpoint_is_frozen(string part, int version)
    {
        var broker = new TestBroker();
        await broker.CreateTopic("t", queues: 2);
        var change = new TopicChange { Name = "t", RetentionTime = TimeSpan.FromHours(2), RetentionBytes = 1 << 30 };
        Assert.Null(await broker.Run(node => node.UpdateTopicAsync(change, CancellationToken.None)));
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { MaxAttempts = 2 } });
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

        GoldenFile.Check($"state-{part}-v{version}.hex", checkpoint!.Parts[part]);
    }
}
