using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Simulation.Nodes;
using Dledger.Testing.Schedules;

namespace Dledger.Simulation.Faults;

/// <summary>Breaks things at random moments until it is told to stop, then repairs what a majority needs.</summary>
internal sealed class FaultInjector
{
    private readonly SimulatedCluster _cluster;
    private readonly List<Action> _kinds = [];
    private bool _isStopped;

    public FaultInjector(SimulatedCluster cluster)
    {
        _cluster = cluster;
        var scenario = cluster.Scenario;
        Add(scenario.HasCrashes, CrashOne, weight: 3);
        Add(scenario.HasPowerLoss, LosePower, weight: 1);
        Add(scenario.HasPartitions, Partition, weight: 3);
        Add(scenario.HasPauses, PauseOne, weight: 1);
        Add(scenario.HasBrokenConnections, BreakConnection, weight: 2);
        Add(scenario.HasDiskStalls, StallDisk, weight: 1);
        Add(scenario.HasTransfers, Transfer, weight: 2);
        Add(scenario.HasResignations, StopGracefully, weight: 1);
        Add(scenario.HasWipes, Wipe, weight: 2);
        Add(scenario.HasLosses, Lose, weight: 2);
        Add(scenario.HasLosses && scenario.HasPowerLoss, LoseEverywhere, weight: 1);
    }

    private SimulationRandom Random => _cluster.Random;

    private long T => _cluster.Scenario.ElectionTimeoutMin;

    public void Start()
    {
        if (_kinds.Count > 0)
        {
            Next();
        }
    }

    /// <summary>Stops all faults. Returns the nodes that are up; sometimes only a bare majority.</summary>
    public IReadOnlyList<SimulatedNode> StopAndHeal()
    {
        _isStopped = true;
        _cluster.Network.IsHostile = false;
        _cluster.Network.Unblock();
        var alive = _cluster.Nodes.ToList();
        if (_cluster.Scenario.HealsBareMajority)
        {
            foreach (var victim in alive.OrderBy(_ => Random.NextWord()).ToArray())
            {
                alive.Remove(victim);
                if (_cluster.Damages.CanElect(alive))
                {
                    Crash(victim, isSilent: false);
                }
                else
                {
                    alive.Add(victim);
                }
            }
        }

        foreach (var node in alive)
        {
            node.StartsPassive = false;
            node.Disk.EndStall();
            if (node.IsStopping)
            {
                Crash(node, isSilent: false);
            }

            if (node.Core is null)
            {
                Boot(node);
            }

            node.Resume();
            node.Post("activate", (core, now) => core.Activate(now));
            node.Post("sync ended", (core, now) => core.SyncPending(now, null));
        }

        return alive;
    }

    private void Add(bool isOn, Action kind, int weight)
    {
        for (var i = 0; isOn && i < weight; i++)
        {
            _kinds.Add(kind);
        }
    }

    private void Next() => _cluster.Events.After(Random.NextInterval(_cluster.Scenario.FaultInterval), () =>
    {
        if (!_isStopped)
        {
            _kinds[Random.Next(_kinds.Count)]();
            Next();
        }
    });

    private SimulatedNode AnyNode() => _cluster.Nodes[Random.Next(_cluster.Nodes.Count)];

    /// <summary>Leaders are where the interesting faults are.</summary>
    private SimulatedNode AnyNodeOrLeader() =>
        Random.Chance(0.5) && _cluster.Nodes.FirstOrDefault(node => node.Core?.Role == RaftRole.Leader) is { } leader ? leader : AnyNode();

    private void Boot(SimulatedNode node)
    {
        if (node.Core is null)
        {
            _cluster.Marks.Reach("node restarted");
            node.Boot();
        }
    }

    private void Crash(SimulatedNode node, bool isSilent)
    {
        if (node.Core is not null)
        {
            node.Crash(isSilent ? "loses power" : "is killed");
            _cluster.Network.NodeDown(node, isSilent);
        }
    }

    private void Restart(SimulatedNode node) => _cluster.Events.After(Random.NextLogarithmic(T / 100, 4 * T), () =>
    {
        if (!_isStopped)
        {
            Boot(node);
        }
    });

    private void CrashOne()
    {
        var node = AnyNodeOrLeader();
        Crash(node, isSilent: Random.Chance(0.3));
        Restart(node);
    }

    private void LosePower()
    {
        _cluster.Marks.Reach("whole cluster lost power");
        foreach (var node in _cluster.Nodes)
        {
            Crash(node, isSilent: true);
            Restart(node);
        }
    }

    private void PauseOne() => AnyNodeOrLeader().Pause(Random.NextLogarithmic(T / 20, 4 * T));

    private void BreakConnection()
    {
        var opener = AnyNode();
        var acceptor = AnyNode();
        _cluster.Network.Break(opener, acceptor);
        if (Random.Chance(0.5))
        {
            _cluster.Network.Break(acceptor, opener);
        }
    }

    private void StallDisk()
    {
        var node = AnyNodeOrLeader();
        node.Disk.StalledUntil = _cluster.Events.Now + Random.NextLogarithmic(T / 10, 12 * T);
    }

    private void Partition()
    {
        var nodes = _cluster.Nodes;
        var one = AnyNodeOrLeader();
        switch (Random.Next(4))
        {
            case 0:
                // One node alone, in both directions.
                foreach (var node in nodes)
                {
                    _cluster.Network.Block(one, node);
                    _cluster.Network.Block(node, one);
                }

                break;
            case 1:
                // One node can send but not receive, or the other way round.
                var isDeaf = Random.Chance(0.5);
                foreach (var node in nodes)
                {
                    _cluster.Network.Block(isDeaf ? node : one, isDeaf ? one : node);
                }

                break;
            case 2:
                // Two halves.
                var left = nodes.Where(_ => Random.Chance(0.5)).ToHashSet();
                foreach (var from in nodes)
                {
                    foreach (var to in nodes)
                    {
                        if (left.Contains(from) != left.Contains(to))
                        {
                            _cluster.Network.Block(from, to);
                        }
                    }
                }

                break;
            default:
                // A bridge: two nodes do not see each other, all others see both.
                var two = AnyNode();
                _cluster.Network.Block(one, two);
                _cluster.Network.Block(two, one);
                break;
        }

        _cluster.Events.After(Random.NextLogarithmic(T / 4, 6 * T), _cluster.Network.Unblock);
    }

    private void Transfer()
    {
        foreach (var node in _cluster.Nodes)
        {
            if (node.Core?.Role == RaftRole.Leader)
            {
                var target = Random.Chance(0.5) ? AnyNode().Id : (NodeId?)null;
                node.Post("transfer", (core, now) => core.TransferLeadership(now, target));
            }
        }
    }

    private void StopGracefully()
    {
        var node = AnyNodeOrLeader();
        if (node.Core?.Role == RaftRole.Leader)
        {
            _cluster.Marks.Reach("leader resigns");
        }

        node.IsStopping = true;
        node.Post("resign", (core, now) => core.Resign(now));
        var life = node.Life;
        _cluster.Events.After(Random.Next(1, T / 4), () =>
        {
            if (node.Life == life && !_isStopped)
            {
                Crash(node, isSilent: false);
                Restart(node);
            }
        });
    }

    private void Wipe()
    {
        var node = AnyNodeOrLeader();
        if (_cluster.Damages.Allows(node))
        {
            Crash(node, isSilent: Random.Chance(0.5));
            node.Wipe();
            Restart(node);
        }
    }

    private void Lose()
    {
        var node = AnyNodeOrLeader();
        if (_cluster.Damages.Allows(node))
        {
            Crash(node, isSilent: Random.Chance(0.5));
            node.Lose(keptMin: 0);
            Restart(node);
        }
    }

    /// <summary>All nodes must suspect themselves, but no more of them lost anything than may.</summary>
    private void LoseEverywhere()
    {
        if (_cluster.Damages.InForce().Any(configuration => configuration.Members.Any(_cluster.Damages.IsDamaged)))
        {
            return;
        }

        _cluster.Marks.Reach("whole cluster has the loss flag");
        var victim = AnyNode();
        foreach (var node in _cluster.Nodes)
        {
            Crash(node, isSilent: true);
        }

        var isAllowed = _cluster.Damages.Allows(victim);
        foreach (var node in _cluster.Nodes)
        {
            // Who lost a configuration waits for a leader, and none could be elected here without it.
            var configurationCount = node.Disk.Written.ToList().FindLastIndex(frame => frame.Configuration is not null) + 1;
            node.Lose(keptMin: node == victim && isAllowed ? configurationCount : node.Disk.Written.Count);
            Restart(node);
        }
    }
}
