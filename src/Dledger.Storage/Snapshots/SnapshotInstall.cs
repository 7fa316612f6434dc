using System.Globalization;
using Dledger.Primitives;
using Dledger.Storage.Checkpoints;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;
using Dledger.Storage.Queues;

namespace Dledger.Storage.Snapshots;

/// <summary>Puts a staged snapshot in the place of a node's state, queues and log.</summary>
/// <remarks>
/// Section 2.20 step 5. The caller: verifies the staging; checks once more that its own log does not match the manifest
/// at its log start (I51) and that applied lies beyond its own commit (I30); writes the intent to the meta file; closes
/// its state machine's queues; calls <see cref="Run"/>; writes the meta file with no intent and <see
/// cref="NodeMetadata.InstalledApplied"/>. A start that finds an intent calls Run before it opens the log. Run does not
/// care how far an earlier one came: a part lies either in the staging directory or in its place.
/// </remarks>
public sealed class SnapshotInstall
{
    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly InstallIntent _intent;
    private readonly StateCheckpointStore _states;
    private readonly string _queues;

    private SnapshotInstall(IDisk disk, string directory, in InstallIntent intent)
    {
        _disk = disk;
        _directory = directory;
        _intent = intent;
        _states = new StateCheckpointStore(disk, DiskPaths.Join(directory, GroupLayout.States));
        _queues = DiskPaths.Join(directory, GroupLayout.Queues);
    }

    /// <summary>What the meta file must hold before <see cref="Run"/>.</summary>
    public static InstallIntent IntentOf(SnapshotManifest manifest)
    {
        var isManifest = SnapshotManifest.Parse(manifest.Encode(), out var crc, out var fault) is not null;
        Invariant.Check(isManifest, $"a manifest to install is valid: {fault}");
        return new InstallIntent(manifest.Applied, crc, manifest.LogStart);
    }

    /// <summary>
    /// Installs the staged snapshot that the intent names; durable when it returns. Throws <see
    /// cref="DamagedFileException"/> when parts are gone: then only another snapshot helps.
    /// </summary>
    /// <param name="disk">The disk.</param>
    /// <param name="directory">The group's directory.</param>
    /// <param name="intent">The intent that the meta file holds.</param>
    /// <param name="resetLog">
    /// Replaces the log: <see cref="CommitLog.Reset"/> of an open one, else <see cref="CommitLog.ResetOnDisk"/>.
    /// </param>
    public static void Run(IDisk disk, string directory, in InstallIntent intent, Action<InstallIntent> resetLog)
    {
        var install = new SnapshotInstall(disk, directory, intent);
        install.MoveState();
        resetLog(intent);
        SnapshotStaging.Remove(disk, directory);
    }

    private void MoveState()
    {
        var manifest = SnapshotStaging.ReadManifest(_disk, _directory, out var crc);
        if (manifest is not null && crc == _intent.ManifestCrc)
        {
            _states.RemoveOthers(manifest.Applied);
            var places = manifest.Parts.Select(part => PlaceOf(part)).ToList();
            RemoveQueueFilesExcept([.. places]);
            Move(manifest, places);
            _states.Adopt(new CheckpointManifest(
                manifest.Applied,
                manifest.AppliedTerm,
                manifest.AppliedHeaderCrc,
                [.. manifest.Parts
                    .Where(part => part.Kind == SnapshotPartKind.State)
                    .Select(part => new CheckpointPart(part.Name, part.Length, part.Crc))]));
        }
        else if (!_states.ListDurable().Contains(_intent.Applied))
        {
            // The staged manifest goes last, so without it the state must be in its place.
            throw new DamagedFileException(
                DiskPaths.Join(_directory, GroupLayout.Incoming),
                $"neither the snapshot at {_intent.Applied} that is being installed nor its state is there");
        }
    }

    private string PlaceOf(in SnapshotPart part) => part.Kind == SnapshotPartKind.State
        ? _states.PathOf(_intent.Applied, part.Name)
        : $"{QueueFileKey.DirectoryOf(_queues, part.TopicId, part.QueueId)}/{QueueFileKey.FileName(part.First.Value)}";

    private void RemoveQueueFilesExcept(HashSet<string> kept)
    {
        foreach (var topic in _disk.List(_queues).Select(name => $"{_queues}/{name}"))
        {
            foreach (var queue in _disk.List(topic).Select(name => $"{topic}/{name}"))
            {
                var files = _disk.List(queue).Select(name => $"{queue}/{name}");
                foreach (var file in files.Where(path => !kept.Contains(path)))
                {
                    _disk.Delete(file);
                }

                DeleteIfEmpty(queue);
            }

            DeleteIfEmpty(topic);
        }
    }

    private void DeleteIfEmpty(string path)
    {
        if (_disk.List(path).Count == 0)
        {
            _disk.DeleteDirectory(path);
        }
    }

    private void Move(SnapshotManifest manifest, List<string> places)
    {
        // A file must not come into a directory whose own name could still be lost.
        var directories = CreateDirectories(places);
        Sync(directories);
        for (var part = 0; part < places.Count; part++)
        {
            var staged = SnapshotStaging.PathOf(_directory, part);
            if (_disk.Exists(staged))
            {
                _disk.Rename(staged, places[part]);
            }
            else if (!_disk.Exists(places[part]))
            {
                throw new DamagedFileException(
                    staged,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"part {part} of the snapshot at {manifest.Applied} is neither staged nor at {places[part]}"));
            }
        }

        Sync(directories);
        _disk.SyncDirectory(DiskPaths.Join(_directory, GroupLayout.Incoming));
    }

    /// <summary>The directories of the places and all above them, down from the group's.</summary>
    private SortedSet<string> CreateDirectories(List<string> places)
    {
        var directories = new SortedSet<string>(StringComparer.Ordinal) { _directory };
        foreach (var parent in places.Select(DiskPaths.ParentOf).Distinct())
        {
            _disk.CreateDirectory(parent);
            for (var above = parent; above.Length > _directory.Length; above = DiskPaths.ParentOf(above))
            {
                directories.Add(above);
            }
        }

        return directories;
    }

    private void Sync(IEnumerable<string> directories)
    {
        foreach (var changed in directories)
        {
            _disk.SyncDirectory(changed);
        }
    }
}
