using System.Globalization;
using Dledger.ClusterSimulation.Nodes;
using Dledger.Storage.Metadata;

namespace Dledger.ClusterSimulation.Faults;

/// <summary>What happens to disks and what is on them, apart from the loss of power.</summary>
internal sealed class DiskFaults(SimulatedCluster cluster, CopyBudget budget)
{
    private readonly HashSet<NodeId> _metaVictims = [];
    private readonly HashSet<NodeId> _checkpointVictims = [];

    public LogRot LogRot { get; } = new(cluster, budget);

    public void Stall(SimulatedNode node)
    {
        cluster.Marks.Reach("disk stall");
        node.Disk.Stall(cluster.Random.NextLogarithmic(10_000, 8 * cluster.Scenario.ElectionTimeout));
    }

    public void Slow(SimulatedNode node)
    {
        cluster.Marks.Reach("slow disk");
        node.Disk.Slow(factor: 4 + cluster.Random.Next(30), cluster.Random.NextInterval(4 * cluster.Scenario.ElectionTimeout));
    }

    /// <summary>The process meets the failure; often the machine then goes down as well, with what it could not sync.</summary>
    public void FailSync(SimulatedNode node)
    {
        if (!node.IsUp)
        {
            return;
        }

        cluster.Marks.Reach("error of a sync");
        node.Disk.Disk.SyncFails = static path => path.StartsWith("log/", StringComparison.Ordinal) || path == "meta";
        if (cluster.Random.Chance(0.5))
        {
            cluster.Events.After(cluster.Random.NextInterval(cluster.Scenario.ElectionTimeout / 2), () =>
            {
                if (!cluster.IsHealed)
                {
                    node.LosePower();
                }
            });
        }
    }

    /// <summary>Other data fills the disk; after a while there is room again.</summary>
    public void FillUp(SimulatedNode node)
    {
        cluster.Marks.Reach("disk full");
        var disk = node.Disk.Disk;
        disk.CapacityBytes = disk.UsedBytes + cluster.Random.NextLogarithmic(1, 1 << 20);
        cluster.Events.After(
            cluster.Random.NextInterval(4 * cluster.Scenario.ElectionTimeout), () => disk.CapacityBytes = long.MaxValue);
    }

    /// <summary>One slot of the meta file rots; its twin remains. Once per node, as nothing looks at them in a running process.</summary>
    public void RotMeta(SimulatedNode node)
    {
        var disk = node.Disk.Disk;
        if (disk.Exists("meta") && _metaVictims.Add(node.Id))
        {
            cluster.Marks.Reach("slot of the meta file damaged");
            disk.Corrupt("meta", (cluster.Random.Next(4) * MetaSlot.Bytes) + cluster.Random.Next(64));
        }
    }

    /// <summary>A state checkpoint rots; the older one, or the log, must do.</summary>
    public void RotCheckpoint(SimulatedNode node)
    {
        var disk = node.Disk.Disk;
        var checkpoints = disk.Exists("state")
            ? disk.List("state").Where(name => long.TryParse(name, CultureInfo.InvariantCulture, out _)).ToList()
            : [];
        // A node without others has nobody to take a state from, and where members come and go two may be left, of which each is needed
        // for a majority: one of the checkpoints stays sound.
        var isNeeded = cluster.Nodes.Count == 1 || cluster.Scenario.ChangesMembers;
        if (checkpoints.Count == 0 || (isNeeded && (checkpoints.Count == 1 || HasHitCheckpoint(node))))
        {
            return;
        }

        var directory = $"state/{checkpoints[^1]}";
        var files = disk.List(directory);
        if (files.Count > 0 && disk.Rot($"{directory}/{cluster.Random.Pick(files)}") is not null)
        {
            _checkpointVictims.Add(node.Id);
            cluster.Marks.Reach("state checkpoint damaged");
        }
    }

    /// <summary>Whether a state checkpoint of a node ever rotted.</summary>
    public bool HasHitCheckpoint(SimulatedNode node) => _checkpointVictims.Contains(node.Id);

    /// <summary>All is well with the machines from now on; what is damaged stays damaged.</summary>
    public void Heal()
    {
        foreach (var node in cluster.Nodes)
        {
            node.Disk.Heal();
            node.Disk.Disk.CrashAtOperation = null;
            node.Disk.Disk.SyncFails = null;
            node.Disk.Disk.CapacityBytes = long.MaxValue;
        }
    }
}
