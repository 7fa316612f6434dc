using Dledger.Raft.Messages;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Peers;

/// <summary>Gives a fresh node the identity of its cluster (raft-and-storage.md 2.8).</summary>
/// <remarks>It is not answered: a node that keeps it closes its connections and says so in its next Hello.</remarks>
public sealed record GenesisOffer : PeerMessage
{
    /// <summary>The cluster's id and its first voters.</summary>
    public required Genesis Genesis { get; init; }
}
