using Dledger.Storage.Snapshots;

namespace Dledger.Replication.Installing;

/// <summary>What the snapshot loop tells its node. Called on its thread.</summary>
internal interface ISnapshotReports
{
    /// <summary>All parts of a snapshot are here, verified and durable.</summary>
    void SnapshotStaged(SnapshotManifest manifest);

    /// <summary>The disk failed.</summary>
    void StagingFailed(Exception fault);
}
