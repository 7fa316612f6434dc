using Dledger.Storage.Disks;

namespace Dledger.Testing.Disks;

/// <summary>A disk in memory that can crash, lose power, fill up and fail to sync, all from one seed.</summary>
/// <remarks>
/// Contents become durable with a sync of the file, names with a sync of their directory. A power loss keeps or drops
/// each unsynced sector and each unsynced name change on its own. <see cref="CrashAtOperation"/> stops the machine at
/// the n-th changing call, which may or may not have had its effect: then call <see cref="LosePower"/> or
/// <see cref="RestartProcess"/> and open everything again. Safe for any thread.
/// Faults, each off until it is set:
/// <list type="bullet">
/// <item><see cref="CapacityBytes"/>: calls that need blocks fail with "no space"; a write writes nothing then.</item>
/// <item><see cref="WriteFindsNoSpace"/>: the same for blocks that were reserved, with half of the bytes
/// written.</item>
/// <item><see cref="SyncFails"/>: the sync fails, the pages count as clean and are still read, but they never reached
/// the
/// disk: a process that starts again reads them and syncs without fault, a power loss takes them.</item>
/// <item><see cref="ReadFails"/>: a device error of a read that touches a bad place.</item>
/// <item><see cref="Corrupt"/>, <see cref="Rot"/>: bits of durable data flip, a sector turns to zeros or to the
/// content of
/// another one.</item>
/// <item><see cref="MisdirectNextWrite"/>: a write reaches another place than it was meant for.</item>
/// <item><see cref="Calling"/>: sees every call before it is made, outside the disk's lock; what waits there is a slow
/// disk.</item>
/// </list>
/// </remarks>
public sealed class SimulatedDisk(int seed) : IDisk
{
    private readonly Lock _lock = new();
    private readonly Random _random = new(seed);
    private readonly List<NameChange> _pendingNames = [];
    private readonly SortedDictionary<string, SimulatedFile> _visible = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SimulatedFile> _durable = new(StringComparer.Ordinal);
    private readonly HashSet<string> _locks = [];
    private StorageFaultException? _syncFault;
    private int _life;

    /// <summary>Changing calls so far.</summary>
    public long OperationCount { get; private set; }

    /// <summary>Bytes written so far, zeros included, reservations not.</summary>
    public long WrittenBytes { get; private set; }

    /// <summary>The machine stops when <see cref="OperationCount"/> reaches this.</summary>
    public long? CrashAtOperation { get; set; }

    /// <summary>Whether the machine stopped; every call throws until it is started again.</summary>
    public bool HasCrashed { get; private set; }

    /// <summary>Bytes that all files together take of the capacity.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_lock)
            {
                return _visible.Values.Sum(file => file.AllocatedBytes);
            }
        }
    }

    /// <summary>Bytes of all files together before calls fail for lack of space.</summary>
    public long CapacityBytes { get; set; } = long.MaxValue;

    /// <summary>Which syncs fail with a device error, by path.</summary>
    public Func<string, bool>? SyncFails { get; set; }

    /// <summary>
    /// A failed sync is told once, as some kernels do, and everything works again afterwards; else every later call fails.
    /// </summary>
    public bool TellsFailureOnce { get; set; }

    /// <summary>Which reads fail with a device error: path, offset, length.</summary>
    public Func<string, long, int, bool>? ReadFails { get; set; }

    /// <summary>
    /// Which writes find no space although their blocks were reserved (a thin or copying volume), by path; half of
    /// their
    /// bytes is written.
    /// </summary>
    public Func<string, bool>? WriteFindsNoSpace { get; set; }

    /// <summary>Called before each changing call and each read, with the call and the path; may wait.</summary>
    public Action<string, string>? Calling { get; set; }

    /// <summary>
    /// The next write of a file goes this many bytes astray; the place that it was meant for keeps its old bytes.
    /// </summary>
    public (string Path, long Distance)? MisdirectNextWrite { get; set; }

    /// <summary>How many writes asked to go past the page cache.</summary>
    public int UncachedWriteCount { get; internal set; }

    /// <summary>Stops the machine at once.</summary>
    public void Crash()
    {
        lock (_lock)
        {
            HasCrashed = true;
        }
    }

    /// <summary>Starts the process again on a machine that kept its memory: nothing that was written is lost.</summary>
    public void RestartProcess()
    {
        lock (_lock)
        {
            StartLife();
        }
    }

    /// <summary>Starts the machine again after a power loss.</summary>
    public void LosePower(SectorLoss loss = SectorLoss.Random)
    {
        lock (_lock)
        {
            foreach (var change in _pendingNames)
            {
                if (loss == SectorLoss.None || (loss != SectorLoss.All && _random.Next(2) == 0))
                {
                    change.ApplyTo(_durable);
                }
            }

            _pendingNames.Clear();
            _visible.Clear();
            foreach (var (path, file) in _durable)
            {
                if (path.Length == 0 || IsDirectory(DiskPaths.ParentOf(path)))
                {
                    _visible.Add(path, file);
                }
            }

            foreach (var lost in _durable.Keys.Except(_visible.Keys).ToArray())
            {
                _durable.Remove(lost);
            }

            foreach (var file in _visible.Values)
            {
                file.LosePower(_random, loss);
            }

            StartLife();
        }
    }

    /// <summary>Flips bits of a stored byte.</summary>
    public void Corrupt(string path, long offset, byte mask = 1)
    {
        lock (_lock)
        {
            _visible[path].Corrupt(offset, mask);
        }
    }

    /// <summary>What of a file a power loss at this moment would surely leave; null when it has no durable name.</summary>
    public byte[]? ReadDurable(string path)
    {
        lock (_lock)
        {
            return _durable.TryGetValue(path, out var file) ? file.ReadDurable() : null;
        }
    }

    /// <summary>Puts other bytes on the disk and in the page cache, as a write that went astray or zeros do.</summary>
    public void Overwrite(string path, long offset, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            _visible[path].Overwrite(offset, bytes);
        }
    }

    /// <summary>Damages a random durable sector of a file; returns its offset, or null for a file without
    /// content.</summary>
    public long? Rot(string path)
    {
        lock (_lock)
        {
            return _visible[path].Rot(_random);
        }
    }

    /// <inheritdoc/>
    public DiskSpace GetSpace()
    {
        lock (_lock)
        {
            var used = _visible.Values.Sum(file => file.AllocatedBytes);
            return new DiskSpace(CapacityBytes, Math.Max(0, CapacityBytes - used));
        }
    }

    /// <inheritdoc/>
    public bool Exists(string path)
    {
        lock (_lock)
        {
            ThrowIfCrashed("access");
            return path.Length == 0 || _visible.ContainsKey(path);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string directory)
    {
        lock (_lock)
        {
            ThrowIfCrashed("list");
            var names = new List<string>();
            foreach (var (path, _) in _visible)
            {
                if (path.Length > 0 && DirectoryOf(path).SequenceEqual(directory))
                {
                    names.Add(path[(path.LastIndexOf('/') + 1)..]);
                }
            }

            return names;
        }
    }

    /// <inheritdoc/>
    public void CreateDirectory(string path)
    {
        lock (_lock)
        {
            if (path.Length > 0 && !_visible.ContainsKey(path))
            {
                CreateDirectory(DiskPaths.ParentOf(path));
                Change("mkdir", new NameChange([(path, new SimulatedFile { IsDirectory = true })]));
            }
        }
    }

    /// <inheritdoc/>
    public IDiskFile Open(string path, DiskOpenMode mode)
    {
        lock (_lock)
        {
            ThrowIfCrashed("open");
            var exists = _visible.TryGetValue(path, out var file);
            var isRefused = exists
                ? mode == DiskOpenMode.CreateNew || file!.IsDirectory
                : mode is DiskOpenMode.Read or DiskOpenMode.ReadWrite;
            if (isRefused)
            {
                throw new StorageFaultException(path, "open", exists ? 17 : 2, exists ? "File exists" : "No such file");
            }

            if (!exists)
            {
                if (!IsDirectory(DiskPaths.ParentOf(path)))
                {
                    throw new StorageFaultException(path, "open", 2, "No such directory");
                }

                file = new SimulatedFile();
                Change("creat", new NameChange([(path, file)]));
            }

            return new SimulatedDiskFile(this, path, file!, _life, mode == DiskOpenMode.Read);
        }
    }

    /// <inheritdoc/>
    public void Rename(string from, string to)
    {
        lock (_lock)
        {
            var file = Require(from, "rename");
            Change("rename", new NameChange([(from, null), (to, file)]));
        }
    }

    /// <inheritdoc/>
    public void Delete(string path)
    {
        lock (_lock)
        {
            Require(path, "unlink");
            Change("unlink", new NameChange([(path, null)]));
        }
    }

    /// <inheritdoc/>
    public void DeleteDirectory(string path)
    {
        lock (_lock)
        {
            Require(path, "rmdir");
            if (List(path).Count > 0)
            {
                throw new StorageFaultException(path, "rmdir", 39, "Directory not empty");
            }

            Change("rmdir", new NameChange([(path, null)]));
        }
    }

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        lock (_lock)
        {
            ThrowIfSyncFailed();
            Execute("fsync", path, () =>
            {
                foreach (var change in _pendingNames.Where(change => change.Concerns(path)).ToArray())
                {
                    change.ApplyTo(_durable);
                    _pendingNames.Remove(change);
                }
            });
        }
    }

    /// <inheritdoc/>
    public IWholeSync? BeginWholeSync()
    {
        lock (_lock)
        {
            ThrowIfCrashed("open");
            return new WholeSync(this, _life);
        }
    }

    /// <inheritdoc/>
    public IDisposable? TryLock(string path)
    {
        lock (_lock)
        {
            Open(path, DiskOpenMode.OpenOrCreate).Dispose();
            return _locks.Add(path) ? new HeldLock(this, path, _life) : null;
        }
    }

    /// <summary>Runs a changing call of a file under the disk's lock.</summary>
    internal void ExecuteOnFile(string call, string path, int life, bool isReadOnly, Action effect)
    {
        Calling?.Invoke(call, path);
        lock (_lock)
        {
            CheckLife(path, call, life);
            ThrowIfSyncFailed();
            if (isReadOnly)
            {
                throw new StorageFaultException(path, call, 9, "Bad file descriptor");
            }

            Execute(call, path, effect);
        }
    }

    /// <summary>Length of a file.</summary>
    internal long LengthOf(string path, int life, SimulatedFile file)
    {
        lock (_lock)
        {
            ThrowIfCrashed("read");
            CheckLife(path, "read", life);
            return file.Length;
        }
    }

    /// <summary>Reads into a span under the disk's lock.</summary>
    internal int ReadBytes(string path, int life, SimulatedFile file, long offset, Span<byte> destination)
    {
        Calling?.Invoke("pread", path);
        lock (_lock)
        {
            ThrowIfCrashed("pread");
            CheckLife(path, "pread", life);
            if (ReadFails?.Invoke(path, offset, destination.Length) == true)
            {
                throw new StorageFaultException(
                    path, "pread", StorageFaultException.DeviceError, "Input/output error");
            }

            return file.Read(offset, destination);
        }
    }

    /// <summary>Throws when a file may not grow to a length.</summary>
    internal void CheckSpace(string path, SimulatedFile file, long length)
    {
        if (CapacityBytes == long.MaxValue)
        {
            return;
        }

        var used = _visible.Values.Sum(other => other.AllocatedBytes);
        if (used - file.AllocatedBytes + Math.Max(file.AllocatedBytes, length) > CapacityBytes)
        {
            throw new StorageFaultException(path, "write", StorageFaultException.NoSpace, "No space left on device");
        }
    }

    /// <summary>Where a write goes: where it was meant for, unless one is to go astray.</summary>
    internal long Direct(string path, long offset)
    {
        if (MisdirectNextWrite is not { } astray || astray.Path != path)
        {
            return offset;
        }

        MisdirectNextWrite = null;
        return Math.Max(0, offset + astray.Distance);
    }

    /// <summary>Counts what a file was given.</summary>
    internal void NoteWritten(long bytes) => WrittenBytes += bytes;

    /// <summary>A sync of a file: durable, or failed for ever.</summary>
    internal void SyncFile(string path, SimulatedFile file)
    {
        if (SyncFails?.Invoke(path) == true)
        {
            file.FailSync();
            var fault = new StorageFaultException(
                path, "fdatasync", StorageFaultException.DeviceError, "Input/output error");
            _syncFault = TellsFailureOnce ? null : fault;
            throw fault;
        }

        file.Sync();
    }

    private void Change(string call, NameChange change) =>
        Execute(call, change, () =>
        {
            change.ApplyTo(_visible);
            _pendingNames.Add(change);
        });

    // What the call is about is put into words only where the machine stops.
    private void Execute(string call, object subject, Action effect)
    {
        ThrowIfCrashed(call);
        OperationCount++;
        if (OperationCount == CrashAtOperation)
        {
            HasCrashed = true;
            if (_random.Next(2) == 0)
            {
                effect();
            }

            throw new SimulatedCrashException($"{call} {subject}");
        }

        effect();
    }

    private static ReadOnlySpan<char> DirectoryOf(string path) => path.AsSpan(0, Math.Max(0, path.LastIndexOf('/')));

    private bool IsDirectory(string path) =>
        path.Length == 0 || (_visible.TryGetValue(path, out var file) && file.IsDirectory);

    private SimulatedFile Require(string path, string call)
    {
        ThrowIfCrashed(call);
        return _visible.TryGetValue(path, out var file)
            ? file
            : throw new StorageFaultException(path, call, 2, "No such file or directory");
    }

    private void StartLife()
    {
        HasCrashed = false;
        CrashAtOperation = null;
        SyncFails = null;
        ReadFails = null;
        WriteFindsNoSpace = null;
        MisdirectNextWrite = null;
        _syncFault = null;
        _locks.Clear();
        _life++;
    }

    private void ThrowIfCrashed(string call)
    {
        if (HasCrashed)
        {
            throw new SimulatedCrashException(call);
        }
    }

    private void ThrowIfSyncFailed()
    {
        if (_syncFault is { } fault)
        {
            throw new StorageFaultException(fault.Path, fault.Call, fault.Errno, "an earlier sync failed");
        }
    }

    private void CheckLife(string path, string call, int life)
    {
        if (life != _life)
        {
            throw new StorageFaultException(path, call, 9, "the handle is from before the restart");
        }
    }

    private void SyncAll(int life)
    {
        lock (_lock)
        {
            CheckLife("", "syncfs", life);
            ThrowIfSyncFailed();
            Execute("syncfs", "", () =>
            {
                foreach (var (path, file) in _visible)
                {
                    SyncFile(path, file);
                }

                _pendingNames.ForEach(change => change.ApplyTo(_durable));
                _pendingNames.Clear();
            });
        }
    }

    private void Unlock(string path, int life)
    {
        lock (_lock)
        {
            if (life == _life)
            {
                _locks.Remove(path);
            }
        }
    }

    private sealed class WholeSync(SimulatedDisk disk, int life) : IWholeSync
    {
        public void Run() => disk.SyncAll(life);

        public void Dispose()
        {
        }
    }

    private sealed class HeldLock(SimulatedDisk disk, string path, int life) : IDisposable
    {
        public void Dispose() => disk.Unlock(path, life);
    }

    private sealed record NameChange(IReadOnlyList<(string Path, SimulatedFile? File)> Sets)
    {
        public bool Concerns(string directory) => Sets.Any(set => DiskPaths.ParentOf(set.Path) == directory);

        public void ApplyTo(SortedDictionary<string, SimulatedFile> names)
        {
            foreach (var (path, file) in Sets)
            {
                if (file is null)
                {
                    names.Remove(path);
                }
                else
                {
                    names[path] = file;
                }
            }
        }

        public override string ToString() => string.Join(" -> ", Sets.Select(set => set.Path));
    }
}
