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
    private (string Path, long From, long To) _unreadable;
    private long _unreadableUntil;

    public SimulatedDisk Disk { get; private set; } = NewDisk(cluster, seed);

    /// <summary>Puts an empty disk in place of the old one.</summary>
    public void Replace()
    {
        _unreadableUntil = 0;
        Disk = NewDisk(cluster, cluster.Random.Next(int.MaxValue));
    }

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

    /// <summary>Reads of a place fail for a while, in this process and the next ones.</summary>
    public void FailReads(string path, long from, long bytes, long duration)
    {
        _unreadable = (path, from, from + bytes);
        _unreadableUntil = cluster.Events.Now + duration;
        Disk.ReadFails = IsUnreadable;
    }

    public void Heal()
    {
        _unreadableUntil = 0;
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

        Disk.ReadFails = cluster.Events.Now < _unreadableUntil ? IsUnreadable : null;
    }

    private bool IsUnreadable(string path, long offset, int length)
    {
        var isHit = cluster.Events.Now < _unreadableUntil && path == _unreadable.Path
            && offset < _unreadable.To && offset + length > _unreadable.From;
        if (isHit)
        {
            cluster.Marks.Reach("read of the log failed");
        }

        return isHit;
    }

    private static SimulatedDisk NewDisk(SimulatedCluster cluster, int seed) => new(seed)
    {
        TellsFailureOnce = cluster.Scenario.Mutation == Mutation.RetryAfterFailedSync,
    };
}
