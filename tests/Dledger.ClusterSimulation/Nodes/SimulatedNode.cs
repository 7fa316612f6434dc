using Dledger.Broker;
using Dledger.ClusterSimulation.Clients;
using Dledger.ClusterSimulation.Mutations;
using Dledger.ClusterSimulation.Networks;
using Dledger.ClusterSimulation.Schedules;
using Dledger.Replication;
using Dledger.Storage.Disks;
using Dledger.Testing.Disks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dledger.ClusterSimulation.Nodes;

/// <summary>One member: a machine, and the process that runs on it at present, whose code is the production code.</summary>
internal sealed class SimulatedNode
{
    private readonly SimulatedCluster _cluster;
    private readonly double _clockRate;
    private SimulatedLoops? _loops;
    private long _absence;

    public SimulatedNode(SimulatedCluster cluster, NodeId id)
    {
        _cluster = cluster;
        Id = id;
        _clockRate = 1 + ((2 * cluster.Random.NextDouble()) - 1) * cluster.Scenario.ClockError;
        WallError = cluster.Random.Next(-cluster.Scenario.WallErrorMax, cluster.Scenario.WallErrorMax);
        Disk = new SimulatedMachine(cluster, cluster.Random.Next(int.MaxValue));
    }

    public NodeId Id { get; }

    public SimulatedMachine Disk { get; }

    /// <summary>Counts the processes; everything of an older one is void.</summary>
    public int Life { get; private set; }

    /// <summary>Null while no process runs.</summary>
    public BrokerNode? Broker { get; private set; }

    public ReplicationNode? Replication { get; private set; }

    public SimulatedTransport? Transport { get; private set; }

    /// <summary>What the process's state machine has applied.</summary>
    public ObservedMachine? Machine { get; private set; }

    public long PausedUntil { get; private set; }

    public bool IsPaused => PausedUntil > _cluster.Events.Now;

    public bool IsUp => Broker is not null;

    /// <summary>Stays down from now on: the last phase may have to do without it.</summary>
    public bool IsBanned { get; set; }

    /// <summary>A graceful stop is under way.</summary>
    public bool IsStopping { get; private set; }

    /// <summary>By how much the machine's wall clock is wrong, microseconds.</summary>
    public long WallError { get; set; }

    /// <summary>
    /// What the node last called durable, which survives every crash (I14). A truncation takes it back: the bytes that come
    /// instead are not durable yet.
    /// </summary>
    public LogPosition Promised { get; private set; }

    /// <summary>What this process called committed last.</summary>
    public LogPosition Committed { get; private set; }

    /// <summary>It said last that it lost what it had acknowledged, and had not got it back.</summary>
    public bool HasGivenUpLog { get; private set; }

    /// <summary>What was durable on the disk that it lost last: the leader may have counted on it a moment before.</summary>
    public LogPosition Lost { get; private set; }

    /// <summary>What of its log is durable now, or was when its last process ended.</summary>
    public LogPosition Acknowledged =>
        Replication?.Status is { UnavailableReason: null } status ? LogPosition.Max(status.Durable, Promised) : Promised;

    /// <summary>Starts a process on what the disk holds.</summary>
    public void Boot()
    {
        Life++;
        var life = Life;
        IsStopping = false;
        var time = new SimulatedTime(_cluster.Events, _clockRate, () => Life == life, () => PausedUntil)
        {
            WallError = WallError,
        };
        _cluster.Trace.Line(this, $"boots, life {life}");
        _loops = new SimulatedLoops(_cluster, this);
        Transport = new SimulatedTransport(_cluster.Network, this);
        var loggers = _cluster.Trace.IsOn ? new TraceLoggers(_cluster.Trace, this) : (ILoggerFactory)NullLoggerFactory.Instance;
        TryForeignDirectory(loggers);
        Guard(() =>
        {
            var disk = _cluster.Scenario.Mutation == Mutation.None
                ? (IDisk)Disk.Disk
                : new DefectiveDisk(Disk.Disk, _cluster.Scenario.Mutation);
            var broker = new BrokerNode(_cluster.Scenario.BrokerOptions, disk, "", time, loggers);
            if (_cluster.Scenario.HasTransactions)
            {
                broker.CheckTransactionsWith(new SimulatedChecker(_cluster, this));
            }

            Machine = new ObservedMachine(_cluster, this, broker);
            Replication = TryStart(disk, time, loggers);
            if (Replication is null)
            {
                return;
            }

            broker.Attach(_cluster.Scenario.Mutation == Mutation.ReadsUnconfirmed
                ? new CredulousReads(Replication)
                : Replication);
            Broker = broker;
            _ = WatchAsync(Replication, life);
        });
        if (Life == life && Broker is null)
        {
            Void();
        }
    }

    // The wrong volume is mounted, or a directory was copied: the process refuses it and is then started on its own.
    private void TryForeignDirectory(ILoggerFactory loggers)
    {
        var owner = _cluster.Random.Pick(_cluster.Nodes);
        if (!_cluster.Scenario.HasForeignDirectories || owner == this || owner.Disk.Disk.CrashAtOperation is not null
            || !owner.Disk.Disk.Exists("meta"))
        {
            return;
        }

        var transport = new SimulatedTransport(_cluster.Network, this);
        string? refusal = null;
        try
        {
            ReplicationNode.Start(
                _cluster.Scenario.OptionsOf(Id), owner.Disk.Disk, transport, Machine!, TimeProvider.System, 1, loggers, _loops!);
        }
        catch (DataDirectoryException fault)
        {
            refusal = fault.Message;
        }
        catch (StorageFaultException fault) when (MayEnd(fault.Message))
        {
            return;
        }

        _cluster.Marks.Reach("directory of another node refused");
        _cluster.Checks.Check("I34", refusal is not null, $"node {Id} starts on the directory of node {owner.Id}");
    }

    // A process that finds no space for its first write cannot start; it is tried again.
    private ReplicationNode? TryStart(IDisk disk, TimeProvider time, ILoggerFactory loggers)
    {
        try
        {
            return ReplicationNode.Start(
                _cluster.Scenario.OptionsOf(Id),
                disk,
                Transport!,
                Machine!,
                time,
                _cluster.Random.NextWord(),
                loggers,
                _loops!);
        }
        catch (StorageFaultException fault) when (MayEnd(fault.Message))
        {
            return null;
        }
    }

    /// <summary>Ends the process at once; with the machine's power, nobody is told.</summary>
    public void Crash(bool losesPower)
    {
        if (Broker is null && !Disk.Disk.HasCrashed)
        {
            return;
        }

        _cluster.Trace.Line(this, losesPower ? "loses power" : "is killed");
        if (Transport is { } transport)
        {
            _cluster.Network.ProcessEnded(transport, isSilent: losesPower);
        }

        Disk.Disk.Crash();
        Void();
        Disk.Restart(losesPower, _cluster.Random);
    }

    /// <summary>Ends the process, and starts none for a long time.</summary>
    public void Leave(long duration)
    {
        _absence = duration;
        Crash(losesPower: false);
    }

    /// <summary>The machine goes down; without a process on it, what was not synced is gone all the same.</summary>
    public void LosePower()
    {
        if (IsUp)
        {
            Crash(losesPower: true);
        }
        else
        {
            Disk.Restart(hasLostPower: true, _cluster.Random);
        }
    }

    /// <summary>The process ends, and the next one finds an empty disk.</summary>
    public void LoseDisk()
    {
        Lost = Acknowledged;
        Crash(losesPower: false);
        _cluster.Trace.Line(this, "loses its disk");
        Disk.Replace();
        Forgive();
    }

    /// <summary>Hands over and stops in order; the process is gone some time later.</summary>
    public void Stop()
    {
        if (Replication is not { } replication || IsStopping || IsPaused)
        {
            return;
        }

        _cluster.Trace.Line(this, "stops");
        IsStopping = true;
        var life = Life;
        _ = StopAsync();

        async Task StopAsync()
        {
            await replication.StopAsync(CancellationToken.None);
            if (Life == life)
            {
                Broker!.Dispose();
                Void();
                Disk.Restart(hasLostPower: false, _cluster.Random);
            }
        }
    }

    public void Pause(long duration)
    {
        _cluster.Trace.Line(this, $"pauses for {duration / 1000} ms");
        PausedUntil = _cluster.Events.Now + duration;
    }

    public void Resume() => PausedUntil = 0;

    /// <summary>Runs code of the process; it may be the moment at which the machine stops.</summary>
    public void Guard(Action action)
    {
        var life = Life;
        try
        {
            action();
        }
        catch (SimulatedCrashException)
        {
            // Seen below.
        }

        if (Life == life && Disk.Disk.HasCrashed)
        {
            _cluster.Marks.Reach("crash inside a disk call");
            Crash(losesPower: _cluster.Scenario.HasPowerLoss && _cluster.Random.Chance(0.5));
        }
    }

    /// <summary>Gives woken loops their turns and looks at what the process says of itself.</summary>
    public void Observe()
    {
        if (Broker is null)
        {
            return;
        }

        _loops!.Poll();
        var status = Replication!.Status;
        _cluster.Checks.Replication.Observe(this, status);
        HasGivenUpLog = status.HasLoss;
        if (status.UnavailableReason is null)
        {
            Promised = status.Durable;
            Committed = status.Commit;
        }
    }

    // A process that ends by itself met a fault that the scenario made, or a bug.
    private async Task WatchAsync(ReplicationNode replication, int life)
    {
        var exit = await replication.Completion;
        if (Life == life && !IsStopping)
        {
            _cluster.Checks.Check("I32", MayEnd(exit.Reason), $"node {Id} ended by itself: {exit.Reason}");
            _cluster.Marks.Reach("node ends by itself");
            Broker!.Dispose();
            Void();
            Disk.Restart(hasLostPower: false, _cluster.Random);
        }
    }

    /// <summary>The disk was damaged or lost, so what it promised is open to doubt.</summary>
    public void Forgive() => Promised = LogPosition.Zero;

    private bool MayEnd(string reason) => _cluster.Scenario.HasDiskErrors
        || (_cluster.Scenario.HasReadErrors && reason.Contains("Input/output error", StringComparison.Ordinal))
        || (_cluster.Scenario.HasFullDisks && reason.Contains("No space left", StringComparison.Ordinal));

    private void Void()
    {
        _cluster.Checks.Replication.Ended(this);
        Life++;
        Broker = null;
        Replication = null;
        Transport = null;
        Machine = null;
        _loops = null;
        PausedUntil = 0;
        Committed = LogPosition.Zero;
        IsStopping = false;
        var life = Life;
        var downtime = Math.Max(_absence, _cluster.Random.NextInterval(_cluster.Scenario.Downtime));
        _absence = 0;
        _cluster.Events.After(downtime, () =>
        {
            if (Life == life && !IsBanned)
            {
                Boot();
            }
        });
    }
}
