namespace Dledger.Storage.Disks;

/// <summary>What a sync makes durable.</summary>
internal enum SyncScope
{
    /// <summary>Contents and length of a file: fdatasync.</summary>
    Contents,

    /// <summary>A file, or the names in a directory: fsync.</summary>
    File,

    /// <summary>All of the file system that a handle belongs to: syncfs.</summary>
    FileSystem,
}
