using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Timers;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Retention;

/// <summary>
/// What the serving leader does about old messages and a full disk: looks every second, and proposes where the log and the queues of
/// topics with a retention of their own shall begin. Volatile, owned by the apply loop; <see cref="Level"/> is for any thread.
/// </summary>
internal sealed class RetentionDuty(
    BrokerOptions options,
    IDisk disk,
    BrokerState state,
    Func<IReplicatedLog?> log,
    Func<LogPosition> checkpoint,
    LeaderInbox inbox,
    Func<Proposal, ProposalFailure?> propose,
    TimerDuty timers,
    ILogger logger)
{
    private const long LookInterval = 1_000_000;

    private readonly DiskSpaceLevels _levels = new();
    private readonly TopicRetentionDuty _topics = new(state, new RecordReader(log), inbox, propose);
    private readonly DiskHandOver _handOver = new();
    private long _nextAt;
    private bool _isProposed;
    private volatile int _level;
    private volatile bool _isMajorityFull;

    /// <summary>How full the disk of this node is.</summary>
    public DiskSpaceLevel Level => (DiskSpaceLevel)_level;

    /// <summary>Without the nodes whose disks have no room for messages there is no majority. Any thread.</summary>
    public bool IsMajorityFull => _isMajorityFull;

    /// <summary>Log time of the next look.</summary>
    public long NextAt => _nextAt;

    /// <summary>This node began or ceased to serve.</summary>
    public void Reset()
    {
        _nextAt = 0;
        _isProposed = false;
        _level = (int)DiskSpaceLevel.Normal;
        _isMajorityFull = false;
        _topics.Reset();
    }

    /// <summary>Looks, if it is time.</summary>
    public void Work(long logTimeNow)
    {
        if (logTimeNow < _nextAt || log() is not { } replicated)
        {
            return;
        }

        _nextAt = logTimeNow + LookInterval;
        var space = disk.GetSpace();
        _level = (int)_levels.Next(Level, space);
        _isMajorityFull = !DiskHandOver.MajorityHasRoom(replicated.Status, Level);
        if (_handOver.Work(replicated, Level, logTimeNow) is { } target)
        {
            BrokerEvents.DiskHandOver(logger, target);
        }

        _topics.Work(logTimeNow);
        if (!_isProposed && FindStart(replicated, logTimeNow, space) is { } found && found > state.LogStart)
        {
            _isProposed = true;
            var record = ControlRecord.Encode(RecordKind.LogStartAdvance, new LogStartCommand(found).Encode());
            var proposal = new LeaderProposal(record, inbox, (_, _) => _isProposed = false);
            _isProposed = propose(proposal) is null;
        }
    }

    private LogPosition? FindStart(IReplicatedLog replicated, long logTimeNow, in DiskSpace space)
    {
        var segments = replicated.Segments;
        if (segments.Count < 2)
        {
            return null;
        }

        var status = replicated.Status;
        var excess = RetentionPolicy.FindExcess(space, options.RetentionDiskPercent);
        var needs = LogNeeds.Of(state, options.RetentionTime, excess);
        var limit = LimitOf(status);
        var start = RetentionPolicy.FindStart(segments, status.End, logTimeNow, options, limit, needs);
        if (start is not { } wanted || state.Timers.OldestNeeded is not { } oldest || oldest >= wanted)
        {
            return start;
        }

        // What waits for its delivery keeps its record: it is copied forward, and the log's start waits for that.
        timers.RelocateBelow(wanted, logTimeNow);
        return RetentionPolicy.FindStart(segments, status.End, logTimeNow, options, LogPosition.Min(limit, oldest), needs);
    }

    // A follower that is catching up must not need a snapshot half-way, unless the disk asks for it.
    private LogPosition LimitOf(ReplicationStatus status)
    {
        var limit = checkpoint();
        if (state.Transactions.OldestNeeded is { } undecided)
        {
            limit = LogPosition.Min(limit, undecided);
        }

        foreach (var peer in status.Peers)
        {
            if (peer.IsConnected && Level < DiskSpaceLevel.Force)
            {
                limit = LogPosition.Min(limit, peer.Match);
            }
        }

        return limit;
    }
}
