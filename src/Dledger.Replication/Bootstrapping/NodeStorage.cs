using Dledger.Primitives;
using Dledger.Replication.Installing;
using Dledger.Replication.Members;
using Dledger.Storage.Checkpoints;
using Dledger.Storage.Disks;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;
using Dledger.Storage.Snapshots;

namespace Dledger.Replication.Bootstrapping;

/// <summary>One group's directory: its lock, its meta file and its log. Checks that they belong to this node.</summary>
internal sealed class NodeStorage : IDisposable
{
    private const string LockName = "LOCK";
    private const string MetaName = "meta";
    private const string LogName = "log";

    private readonly IDisk _disk;
    private readonly ReplicationOptions _options;
    private readonly IDisposable _lock;

    private NodeStorage(IDisk disk, ReplicationOptions options, IDisposable @lock, MetaFile meta)
    {
        _disk = disk;
        _options = options;
        _lock = @lock;
        Meta = meta;
    }

    /// <summary>
    /// The meta file; written by the replication thread until the log writer runs, then by the writer.
    /// </summary>
    public MetaFile Meta { get; }

    /// <summary>The disk that holds the directory.</summary>
    public IDisk Disk => _disk;

    /// <summary>The log, once opened.</summary>
    public CommitLog? Log { get; private set; }

    private LogIdentity Identity => new(Meta.Current.ClusterId, Meta.Current.StorageId, _options.Group);

    /// <summary>Locks the directory and reads or creates its meta file.</summary>
    /// <exception cref="DataDirectoryException">It is in use, damaged, or of another node.</exception>
    public static NodeStorage Open(IDisk disk, ReplicationOptions options, IdGenerator ids)
    {
        disk.CreateDirectory(options.Directory);
        for (var name = options.Directory; name.Length > 0; name = DiskPaths.ParentOf(name))
        {
            // Each time: a process that made it may have died before it synced the name.
            disk.SyncDirectory(DiskPaths.ParentOf(name));
        }

        var @lock = disk.TryLock(PathOf(options, LockName))
            ?? throw new DataDirectoryException(
                $"data directory '{options.Directory}' is in use by another process; stop that one first");
        MetaFile? meta = null;
        try
        {
            meta = OpenMeta(disk, options, ids);
            CheckOwner(meta.Current, options);
            meta.Write(Started(meta.Current, options) with { BootId = ids.NextId() });
            return new NodeStorage(disk, options, @lock, meta);
        }
        catch
        {
            meta?.Dispose();
            @lock.Dispose();
            throw;
        }
    }

    /// <summary>Opens or creates the log. The meta file must hold a genesis.</summary>
    /// <param name="time">Clock for the age of the watermark.</param>
    /// <param name="verifyAll">Reads all frames, because one was found damaged.</param>
    public CommitLogRecovery OpenLog(TimeProvider time, bool verifyAll)
    {
        var metadata = Meta.Current;

        // A node that took part in a term has a log, if only an empty one: a missing one was lost.
        var recovery = CommitLog.Open(
            _disk,
            PathOf(_options, LogName),
            _options.Log,
            Identity,
            time,
            createIfEmpty: metadata.Term == Term.Zero,
            verifyAll);
        Log = recovery.Log;
        return recovery.Log is { } log && FindFault(metadata, recovery, log.Start) is { } fault
            ? recovery with { Damage = fault }
            : recovery;
    }

    /// <summary>
    /// Decides durably that a staged snapshot takes the place of log and state; the log is closed. From here on only
    /// <see cref="FinishInstall"/> leads back to a log, in this life or a later one.
    /// </summary>
    public void BeginInstall(SnapshotManifest manifest) =>
        Meta.Write(Meta.Current with { Install = SnapshotInstall.IntentOf(manifest) });

    /// <summary>Does what <see cref="BeginInstall"/> decided, from wherever a crash left it; null when nothing was.</summary>
    /// <exception cref="DamagedFileException">Parts of the snapshot are gone.</exception>
    public InstallIntent? FinishInstall()
    {
        if (Meta.Current.Install is not { } intent)
        {
            return null;
        }

        // The manifest goes last: without it everything was done but the note in the meta file.
        var floor = Meta.Current.ConfigurationFloor;
        if (SnapshotStaging.ReadManifest(_disk, _options.Directory, out _) is { } manifest)
        {
            var configurations = SnapshotAttachment.TryRead(manifest.Attachment, out var fault);
            Invariant.Check(configurations is not null, $"an attachment was checked before it was installed: {fault}");
            SnapshotInstall.Run(_disk, _options.Directory, intent, decided => CommitLog.ResetOnDisk(
                _disk, PathOf(_options, LogName), _options.Log, Identity, decided.LogStart, configurations));

            // A configuration of the old log that was never committed is gone with it.
            floor = configurations.Count > 0 && floor < intent.LogStart.End ? configurations[^1].Position : floor;
        }

        Meta.Write(Meta.Current with
        {
            Install = null,
            InstalledApplied = intent.Applied,
            ConfigurationFloor = floor,
        });
        return intent;
    }

    /// <summary>
    /// Notes durably that this node may have lost what it acknowledged, so that it decides nothing until it has caught up (2.22).
    /// </summary>
    public void NoteLoss()
    {
        if (!Meta.Current.LossFlag)
        {
            Meta.Write(Meta.Current with { LossFlag = true, LossTerm = Meta.Current.Term });
        }
    }

    /// <summary>
    /// Gives the log up and begins an empty one, which the other nodes fill; the state that is on disk stays valid and waits for it.
    /// Can be repeated: a crash in between leaves the damage that led here.
    /// </summary>
    public void Rebuild()
    {
        var states = new StateCheckpointStore(_disk, PathOf(_options, GroupLayout.States));
        var newest = states.ListDurable();
        Meta.Write(Meta.Current with
        {
            LossFlag = true,
            LossTerm = Meta.Current.Term,
            Install = null,
            InstalledApplied = newest.Count > 0 ? newest[0] : null,
        });
        CommitLog.ResetOnDisk(
            _disk, PathOf(_options, LogName), _options.Log, Identity, ChainTail.Genesis(Identity.Seed));
    }

    /// <summary>Closes the log, to open it again.</summary>
    public void CloseLog()
    {
        Log?.Dispose();
        Log = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Log?.Dispose();
        }
        finally
        {
            Meta.Dispose();
            _lock.Dispose();
        }
    }

    private static LogDamage? FindFault(NodeMetadata metadata, CommitLogRecovery recovery, LogPosition start)
    {
        if (recovery.Tail.Term > metadata.Term)
        {
            // The votes of the terms between are not known: no copy of a log mends that.
            return new LogDamage(
                recovery.Tail.End,
                $"the log ends in term {recovery.Tail.Term}, but the meta file knows only term {metadata.Term}");
        }

        StoredConfigurations.Read(metadata, recovery.Configurations, start, addresses: null, out var fault);
        return fault is null ? null : new LogDamage(recovery.Tail.End, fault, IsOwnLoss: true);
    }

    /// <summary>
    /// What a start changes. Whoever acknowledged before it synced, and finds that the machine booted since, may have lost
    /// what it acknowledged; that is durable before anybody is answered (2.22).
    /// </summary>
    private static NodeMetadata Started(NodeMetadata last, ReplicationOptions options)
    {
        var isRelaxed = options.FlushMode == FlushMode.QuorumAsync;
        var hasLoss = last.Genesis is not null
            && (isRelaxed || last.IsRelaxed)
            && last.MayHaveLostUnsynced(options.MachineBootId);
        return last with
        {
            LossFlag = last.LossFlag || hasLoss,
            LossTerm = hasLoss ? last.Term : last.LossTerm,
            MachineBootId = options.MachineBootId,
            IsRelaxed = isRelaxed,
            CleanStop = null,
        };
    }

    private static string PathOf(ReplicationOptions options, string name) =>
        options.Directory.Length == 0 ? name : $"{options.Directory}/{name}";

    private static MetaFile OpenMeta(IDisk disk, ReplicationOptions options, IdGenerator ids)
    {
        MetaFile? meta;
        try
        {
            meta = MetaFile.Open(disk, PathOf(options, MetaName));
        }
        catch (DamagedFileException fault)
        {
            throw new DataDirectoryException(
                $"{fault.Message}; without it this node does not know its votes. Wipe the directory only if the other "
                + "nodes are a majority that keeps the data",
                fault);
        }

        if (meta is not null)
        {
            return meta;
        }

        if (disk.List(PathOf(options, LogName)).Count > 0)
        {
            throw new DataDirectoryException(
                $"data directory '{options.Directory}' holds a log but no meta file; it is incomplete");
        }

        return MetaFile.Create(
            disk, PathOf(options, MetaName), new NodeMetadata { Node = options.Self, StorageId = ids.NextId() });
    }

    private static void CheckOwner(NodeMetadata metadata, ReplicationOptions options)
    {
        if (metadata.Node != options.Self)
        {
            throw new DataDirectoryException(
                $"data directory '{options.Directory}' belongs to node {metadata.Node}, this is node {options.Self}");
        }
    }
}
