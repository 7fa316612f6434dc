using Dledger.Replication.Loops;
using Dledger.Replication.Queues;
using Dledger.Storage.Disks;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Driving;

/// <summary>
/// Looks every second how full the node's disk is: for the answers to the leader, and for the operator. A loop of its own, because the
/// question may hang with the disk.
/// </summary>
internal sealed class DiskWatch(IDisk disk, ReplicationOptions options, ILogger logger) : ILoop
{
    private const int LookMilliseconds = 1_000;
    private const int Unknown = -1;

    private readonly DiskSpaceLevels _levels = new();
    private DiskSpaceLevel _level;
    private bool _isBroken;
    private volatile int _usedPercent = Unknown;
    private volatile bool _isStopped;

    /// <inheritdoc/>
    public string Name { get; } = $"dledger-disk-{options.Self}";

    /// <inheritdoc/>
    public WakeSignal Signal { get; } = new();

    /// <summary>
    /// Used part, 0 to 100, rounded up; 0 while enough is free in any case (<see cref="DiskSpaceLevels.EnoughBytes"/>). Null before the
    /// first look. Any thread.
    /// </summary>
    public int? UsedPercent => _usedPercent is var used && used != Unknown ? used : null;

    /// <summary>The last turn follows. Any thread.</summary>
    public void Stop()
    {
        _isStopped = true;
        Signal.Set();
    }

    /// <inheritdoc/>
    public NextTurn Turn()
    {
        if (_isStopped)
        {
            return NextTurn.Never;
        }

        try
        {
            Look(disk.GetSpace());
            _isBroken = false;
        }
        catch (StorageFaultException fault) when (!_isBroken)
        {
            // Who writes the log meets a broken disk where it matters.
            _isBroken = true;
            ReplicationEvents.DiskNotMeasured(logger, fault.Message);
        }
        catch (StorageFaultException)
        {
            // Said already.
        }

        return NextTurn.After(LookMilliseconds);
    }

    private void Look(in DiskSpace space)
    {
        var used = (int)Math.Ceiling(_levels.UsedPercent(space));
        _usedPercent = used;
        var level = _levels.Next(_level, space);
        if (level == _level)
        {
            return;
        }

        if (level == DiskSpaceLevel.StopAck)
        {
            ReplicationEvents.DiskAlarm(logger, options.Self, used, space.FreeBytes);
        }
        else if (level == DiskSpaceLevel.RefuseProduce)
        {
            ReplicationEvents.DiskNearlyFull(logger, options.Self, used, space.FreeBytes);
        }
        else if (_level >= DiskSpaceLevel.RefuseProduce)
        {
            ReplicationEvents.DiskHasRoom(logger, options.Self, used, space.FreeBytes);
        }

        _level = level;
    }
}
