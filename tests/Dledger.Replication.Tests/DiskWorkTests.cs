using Dledger.Replication.Tests.Clusters;

namespace Dledger.Replication.Tests;

/// <summary>What the state machine leaves to do on the disk runs beside the apply loop.</summary>
public sealed class DiskWorkTests
{
    [Fact]
    public async Task Frames_are_applied_while_the_disk_work_of_the_state_machine_hangs()
    {
        await using var cluster = TestCluster.Started(1);
        var machine = cluster.Nodes[0].Machine;
        using var begun = new SemaphoreSlim(0);
        using var gate = new SemaphoreSlim(0);
        machine.DiskWork = () =>
        {
            begun.Release();
            Assert.True(gate.Wait(TimeSpan.FromSeconds(30)), "the test opens the gate");
        };
        await cluster.ProposeAsync("begins it");
        Assert.True(await begun.WaitAsync(TimeSpan.FromSeconds(30)));
        var count = machine.MaintainCount;

        for (var i = 0; i < 20; i++)
        {
            await cluster.ProposeAsync($"message {i}");
        }

        Assert.Equal(count, machine.MaintainCount);
        gate.Release();
        await Eventually.TrueAsync(() => machine.MaintainCount > count, "house-keeping goes on when the work has ended");
    }

    [Fact]
    public async Task Disk_work_that_fails_ends_the_service_of_the_node()
    {
        await using var cluster = TestCluster.Started(1);
        await cluster.ProposeAsync("before");
        var running = cluster.Nodes[0].Running;
        cluster.Nodes[0].Machine.DiskWork = () => throw new IOException("the checkpoint cannot be written");

        // Whether this one is applied before the end is open.
        await TestCluster.TryProposeAsync(cluster.Nodes[0], "begins it");

        var exit = await running.Completion.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(exit.IsFault);
        Assert.Contains("the checkpoint cannot be written", exit.Reason, StringComparison.Ordinal);
    }
}
