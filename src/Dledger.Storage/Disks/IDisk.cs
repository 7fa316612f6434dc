namespace Dledger.Storage.Disks;

/// <summary>How <see cref="IDisk.Open"/> treats an existing and a missing file.</summary>
public enum DiskOpenMode
{
    /// <summary>The file must exist; it can only be read.</summary>
    Read,

    /// <summary>The file must exist; it can be read and written.</summary>
    ReadWrite,

    /// <summary>The file must not exist; its name is durable only after <see cref="IDisk.SyncDirectory"/>.</summary>
    CreateNew,

    /// <summary>Opens the file, or creates an empty one.</summary>
    OpenOrCreate,
}

/// <summary>A directory tree: the seam between the storage code and a real or simulated disk.</summary>
/// <remarks>
/// Paths are relative to the disk's root, separated by '/'; "" is the root. Names become durable with
/// <see cref="SyncDirectory"/> of the directory that holds them, contents with <see cref="IDiskFile.Sync"/>.
/// Safe for any thread. Every failed call throws <see cref="StorageFaultException"/>.
/// </remarks>
public interface IDisk
{
    /// <summary>Whether a file or directory of that name exists.</summary>
    bool Exists(string path);

    /// <summary>
    /// Names (not paths) of the files and directories in a directory, in ordinal order; empty when it is missing.
    /// </summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>Creates a directory and its missing parents. An existing one is no fault.</summary>
    void CreateDirectory(string path);

    /// <summary>Opens a file.</summary>
    IDiskFile Open(string path, DiskOpenMode mode);

    /// <summary>Renames a file or directory; a file of the new name is replaced.</summary>
    void Rename(string from, string to);

    /// <summary>Deletes a file. Open handles of it stay usable.</summary>
    void Delete(string path);

    /// <summary>Deletes an empty directory.</summary>
    void DeleteDirectory(string path);

    /// <summary>Makes the names inside a directory durable.</summary>
    void SyncDirectory(string path);

    /// <summary>
    /// Begins a sync of everything, which is cheaper than one for each of hundreds of files; null where there is none that tells of
    /// lost writes.
    /// </summary>
    IWholeSync? BeginWholeSync() => null;

    /// <summary>How much room the file system below the root has.</summary>
    DiskSpace GetSpace();

    /// <summary>
    /// Takes an advisory lock on a file (created when missing) until the result is disposed or the process ends; null
    /// when another holder has it.
    /// </summary>
    IDisposable? TryLock(string path);
}
