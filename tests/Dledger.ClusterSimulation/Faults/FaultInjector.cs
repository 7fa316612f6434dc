using Dledger.ClusterSimulation.Nodes;
using Dledger.Replication;

namespace Dledger.ClusterSimulation.Faults;

/// <summary>Lets things go wrong at random, of the kinds that the scenario has, until the last phase.</summary>
internal sealed class FaultInjector
{
    /// <summary>Longest time for which a process is not started again, microseconds.</summary>
    public const long AbsenceMax = 10_000_000;

    private readonly SimulatedCluster _cluster;
    private readonly List<Action<SimulatedNode>> _kinds = [];

    public FaultInjector(SimulatedCluster cluster)
    {
        _cluster = cluster;
        var budget = new CopyBudget(cluster);
        Disks = new DiskFaults(cluster, budget);
        Members = new MembershipFaults(cluster, budget);
        var scenario = cluster.Scenario;
        Add(scenario.HasKills, Kill);
        Add(scenario.HasPowerLoss, LosePower);
        Add(scenario.HasPowerLoss, LoseAllPower);
        Add(scenario.HasPowerLoss && scenario.HasKills, KillAndLosePower);
        Add(scenario.RetentionBytes > 0 && scenario.NodeCount > 1, Leave);
        Add(scenario.HasCrashesInCalls, CrashInCall);
        Add(scenario.HasPartitions && scenario.NodeCount > 1, CutOff);
        Add(scenario.HasPartitions && scenario.NodeCount > 1, CutOneWay);
        Add(scenario.HasPartitions, _ => cluster.Network.Mend());
        Add(scenario.HasBrokenConnections && scenario.NodeCount > 1, BreakConnection);
        Add(scenario.HasPauses, Pause);
        Add(scenario.HasDiskStalls, Disks.Stall);
        Add(scenario.HasDiskStalls, Disks.Slow);
        Add(scenario.HasDiskErrors, Disks.FailSync);
        Add(scenario.HasFullDisks, Disks.FillUp);
        Add(scenario.HasMetaRot, Disks.RotMeta);
        Add(scenario.HasCheckpointRot, Disks.RotCheckpoint);
        Add(scenario.HasDamage && scenario.NodeCount > 2, Disks.LogRot.Damage);
        Add(scenario.HasTransfers && scenario.NodeCount > 1, Transfer);
        Add(scenario.HasStops, Stop);
        Add(scenario.HasClockJumps, JumpClock);
        Add(scenario.HasLostDisks, Members.Wipe);
        Add(scenario.HasMemberChanges, Members.Change);
        Add(scenario.HasMemberChanges, Members.Change);
        Add(scenario.HasMemberChanges, Members.Drain);
        Add(scenario.HasReadErrors, Disks.LogRot.FailReads);
        Add(scenario.HasStatusReads && scenario.NodeCount > 1, FreezeLeader);
    }

    public DiskFaults Disks { get; }

    public MembershipFaults Members { get; }

    public void Start()
    {
        if (_kinds.Count > 0)
        {
            Plan();
        }
    }

    /// <summary>Ends all faults. Those nodes that are to come back, come back; answers them.</summary>
    public IReadOnlyList<SimulatedNode> Heal()
    {
        var random = _cluster.Random;
        var alive = _cluster.Nodes.ToList();
        // A node that gave its log up decides nothing until the others have brought it up to date, so it is no part of a bare majority;
        // nor is one that will do so when it starts, because its checkpoints are rotten.
        if (_cluster.Scenario is { HealsBareMajority: true, MayDamageLogs: false }
            && !alive.Exists(node => node.HasGivenUpLog || _cluster.DiskFaults.HasHitCheckpoint(node)))
        {
            while (alive.Count > (_cluster.Nodes.Count / 2) + 1)
            {
                var lost = random.Pick(alive);
                lost.IsBanned = true;
                lost.Crash(losesPower: false);
                alive.Remove(lost);
            }
        }

        _cluster.Network.Mend();
        foreach (var node in alive)
        {
            node.Resume();
        }

        Disks.Heal();
        return alive;
    }

    private void Add(bool isOn, Action<SimulatedNode> kind)
    {
        if (isOn)
        {
            _kinds.Add(kind);
        }
    }

    private void Plan() => _cluster.Events.After(_cluster.Random.NextInterval(_cluster.Scenario.FaultInterval), () =>
    {
        if (!_cluster.IsHealed)
        {
            // Half of the faults hit the leader: there they hurt.
            var leader = _cluster.Nodes.FirstOrDefault(node => node.Replication?.Status.Role == ReplicationRole.Leader);
            var victim = leader is not null && _cluster.Random.Chance(0.5) ? leader : _cluster.Random.Pick(_cluster.Nodes);
            _cluster.Random.Pick(_kinds)(victim);
            Plan();
        }
    });

    private void Kill(SimulatedNode node)
    {
        if (node.IsUp)
        {
            _cluster.Marks.Reach("process killed");
            if (node.Replication!.Status.Role == ReplicationRole.Leader)
            {
                _cluster.Marks.Reach("leader killed");
            }

            node.Crash(losesPower: false);
        }
    }

    // Long enough for the others to give up what it still needs.
    private void Leave(SimulatedNode node)
    {
        if (node.IsUp && _cluster.Nodes.Count(each => each.IsUp) > (_cluster.Nodes.Count / 2) + 1)
        {
            _cluster.Marks.Reach("long absence");
            node.Leave(_cluster.Random.Next(2_000_000, AbsenceMax));
        }
    }

    private void LosePower(SimulatedNode node)
    {
        _cluster.Marks.Reach("power loss");
        node.LosePower();
    }

    private void LoseAllPower(SimulatedNode node)
    {
        if (_cluster.Random.Chance(0.3))
        {
            _cluster.Marks.Reach("all machines lost power");
            foreach (var each in _cluster.Nodes)
            {
                each.LosePower();
            }
        }
    }

    // The new process has looked at what the old one left in memory; then even that is gone.
    private void KillAndLosePower(SimulatedNode node)
    {
        Kill(node);
        _cluster.Events.After(_cluster.Scenario.Downtime + _cluster.Random.NextInterval(_cluster.Scenario.Downtime), () =>
        {
            if (!_cluster.IsHealed)
            {
                LosePower(node);
            }
        });
    }

    private void CrashInCall(SimulatedNode node)
    {
        var disk = node.Disk.Disk;
        disk.CrashAtOperation = disk.OperationCount + _cluster.Random.NextLogarithmic(1, 200);
    }

    private void CutOff(SimulatedNode node)
    {
        _cluster.Marks.Reach("partition");
        var side = _cluster.Nodes.Where(other => other == node || _cluster.Random.Chance(0.3)).ToHashSet();
        foreach (var inside in side)
        {
            foreach (var outside in _cluster.Nodes.Where(other => !side.Contains(other)))
            {
                _cluster.Network.Cut(inside, outside);
                _cluster.Network.Cut(outside, inside);
            }
        }

        MendLater();
    }

    private void CutOneWay(SimulatedNode node)
    {
        _cluster.Marks.Reach("link cut one way");
        foreach (var other in _cluster.Nodes.Where(_ => _cluster.Random.Chance(0.6)))
        {
            if (_cluster.Random.Chance(0.5))
            {
                _cluster.Network.Cut(node, other);
            }
            else
            {
                _cluster.Network.Cut(other, node);
            }
        }

        MendLater();
    }

    private void MendLater() => _cluster.Events.After(
        _cluster.Random.NextInterval(3 * _cluster.Scenario.ElectionTimeout), _cluster.Network.Mend);

    private void BreakConnection(SimulatedNode node)
    {
        _cluster.Marks.Reach("connection broken");
        _cluster.Network.Break(node, _cluster.Random.Pick([.. _cluster.Nodes.Where(other => other != node)]));
    }

    private void Pause(SimulatedNode node)
    {
        if (node.IsUp)
        {
            _cluster.Marks.Reach("pause");
            node.Pause(_cluster.Random.NextLogarithmic(1_000, 4 * _cluster.Scenario.ElectionTimeout));
        }
    }

    // Long enough for another one to lead, and in the end it goes on as if nothing had happened.
    private void FreezeLeader(SimulatedNode node)
    {
        if (node.Replication?.Status.IsServing == true && !node.IsPaused)
        {
            _cluster.Marks.Reach("leader frozen");
            node.Pause(_cluster.Random.Next(_cluster.Scenario.ElectionTimeout, 5 * _cluster.Scenario.ElectionTimeout));
        }
    }

    private void Transfer(SimulatedNode node)
    {
        if (node.Replication is { } replication && !node.IsPaused)
        {
            _cluster.Marks.Reach("transfer");
            var target = _cluster.Random.Chance(0.5) ? _cluster.Random.Pick(_cluster.Nodes).Id : (NodeId?)null;
            _ = replication.TransferLeadershipAsync(target, CancellationToken.None);
        }
    }

    private void Stop(SimulatedNode node)
    {
        if (node.IsUp && !node.IsStopping)
        {
            _cluster.Marks.Reach("graceful stop");
            node.Stop();
        }
    }

    private void JumpClock(SimulatedNode node)
    {
        _cluster.Marks.Reach("clock jump");
        node.WallError += _cluster.Random.Next(-3_600_000_000, 3_600_000_000);
    }
}
