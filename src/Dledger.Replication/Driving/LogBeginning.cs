using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Replication.Installing;
using Dledger.Replication.Tails;
using Dledger.Replication.Writing;
using Dledger.Storage.Snapshots;

namespace Dledger.Replication.Driving;

/// <summary>
/// Where the log begins: it moves on when old messages are given up, and jumps when a snapshot takes the log's place. Owned by the
/// replication loop.
/// </summary>
internal sealed class LogBeginning
{
    private readonly LoopSurroundings _around;
    private readonly RaftCore _core;
    private readonly RaftLogView _view;
    private readonly LocalLog _log;

    public LogBeginning(LoopSurroundings around, RaftCore core, RaftLogView view, LocalLog log)
    {
        _around = around;
        _core = core;
        _view = view;
        _log = log;
        Attachment = SnapshotAttachment.Encode(core.Configurations, view.Start, around.Addresses.PlaceOf);
    }

    /// <summary>The first position that the core still sees.</summary>
    public LogPosition Start => _view.Start;

    /// <summary>What a snapshot says about a log that begins there.</summary>
    public byte[] Attachment { get; private set; }

    /// <summary>
    /// Gives up whole files below a position. The core's log begins later first; the files go when the writer comes to it, so nothing
    /// that the core may ask for is missing.
    /// </summary>
    public void Release(LogPosition below)
    {
        var start = _around.Log.FindStart(LogPosition.Min(below, LogPosition.Min(_core.Commit, _log.OnDisk)));
        if (start > _view.Start)
        {
            ReplicationEvents.LogStartAdvanced(_around.Logger, start);
            _view.AdvanceStart(start);
            _core.LogStartAdvanced();
            Attachment = SnapshotAttachment.Encode(_core.Configurations, start, _around.Addresses.PlaceOf);
            _around.Writer.Add(new AdvanceLogStart(start));
        }
    }

    /// <summary>
    /// Looks once more, now that all of a snapshot is here, whether it may take the log's place: the log may have grown to where the
    /// leader's begins (I51), and never may newer state give way to older one (I30). One that may not is thrown away.
    /// </summary>
    public bool MayInstall(SnapshotManifest manifest)
    {
        var start = manifest.LogStart;
        var fitsAfterAll = start.End <= _core.End
            && _view.TryGetChain(start.End, out var chain) && chain == start.HeaderCrc;
        var isAhead = start.End > _core.Commit && manifest.Applied > _around.Apply.Applied;
        if ((_core.Role != RaftRole.Leader && !fitsAfterAll && isAhead) || _around.Options.InstallsEverySnapshot)
        {
            return true;
        }

        ReplicationEvents.SnapshotDiscarded(_around.Logger, manifest.Applied);
        _around.Snapshots.Discard();
        return false;
    }
}
