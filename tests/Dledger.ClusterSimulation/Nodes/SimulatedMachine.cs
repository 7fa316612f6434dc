using Dledger.ClusterSimulation.Mutations;
using Dledger.Testing.Disks;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Nodes;

/// <summary>The disk of one machine with its speed and its moods; it outlives the processes on it.</summary>
internal sealed class SimulatedMachine(SimulatedCluster cluster, int seed)
{
    private long _stalledUntil;
    private long _slowUntil;
    private int _slowness = 1;

    public SimulatedDisk Disk { get; private set; } = NewDisk(cluster, seed);

    /// <summary>Puts an empty disk in place of the old one.</summary>
    public void Replace() => Disk = NewDisk(cluster, cluster.Random.Next(int.MaxValue));

    /// <summary>How long the next batch of writes and its sync take, microseconds.</summary>
    public long NextLatency()
    {
        var latency = cluster.Random.NextInterval(cluster.Scenario.SyncLatency)
            * (cluster.Events.Now < _slowUntil ? _slowness : 1);
        return Math.Max(latency, _stalledUntil - cluster.Events.Now);
    }

    /// <summary>No sync ends before this time has passed.</summary>
    public void Stall(long duration) => _stalledUntil = cluster.Events.Now + duration;

    /// <summary>Everything takes longer for a while.</summary>
    public void Slow(int factor, long duration)
    {
        _slowness = factor;
        _slowUntil = cluster.Events.Now + duration;
    }

    public void Heal()
    {
        _stalledUntil = 0;
        _slowUntil = 0;
    }

    /// <summary>Starts the machine again after the power went, or only the process.</summary>
    public void Restart(bool hasLostPower, SimulationRandom random)
    {
        if (hasLostPower)
        {
            SectorLoss[] losses =
            [
                SectorLoss.Random, SectorLoss.Random, SectorLoss.All, SectorLoss.None, SectorLoss.KeepPrefix,
                SectorLoss.KeepSuffix, SectorLoss.FirstOnly,
            ];
            Disk.LosePower(random.Pick(losses));
        }
        else
        {
            Disk.RestartProcess();
        }
    }

    private static SimulatedDisk NewDisk(SimulatedCluster cluster, int seed) => new(seed)
    {
        TellsFailureOnce = cluster.Scenario.Mutation == Mutation.RetryAfterFailedSync,
    };
}
