using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>Whose log it is; stored in every segment and mixed into every frame's checksum.</summary>
/// <param name="ClusterId">Id of the cluster, from its genesis.</param>
/// <param name="StorageId">Id of the node's data directory.</param>
/// <param name="Group">The Raft group.</param>
public sealed record LogIdentity(Guid ClusterId, Guid StorageId, RaftGroupId Group)
{
    /// <summary>Start value of the checksums.</summary>
    public ClusterSeed Seed => ClusterSeed.Of(ClusterId, Group);
}
