using Dledger.Primitives;

namespace Dledger.Raft.Peers;

/// <summary>What the leader knows of one peer, for status displays.</summary>
/// <param name="Node">The peer.</param>
/// <param name="StorageId">Identity of its data directory as it last said; empty when it was never connected.</param>
/// <param name="IsVoter">Whether it is a voter with that storage.</param>
/// <param name="State">How the leader sends to it.</param>
/// <param name="IsConnected">Whether an outbound connection to it is open.</param>
/// <param name="Match">Durable there and equal to the leader's log.</param>
/// <param name="Received">Received there in the present stream.</param>
/// <param name="Applied">Applied there, as last reported.</param>
/// <param name="LastContact">When the newest request that it answered was sent; microseconds of the core's clock.</param>
/// <param name="SyncAge">Age of its oldest unfinished sync, as last reported; microseconds.</param>
/// <param name="DiskUsedPercent">How full its disk is, as last reported; null when it did not say.</param>
public readonly record struct PeerProgress(
    NodeId Node,
    Guid StorageId,
    bool IsVoter,
    ProgressState State,
    bool IsConnected,
    LogPosition Match,
    LogPosition Received,
    LogPosition Applied,
    long LastContact,
    long SyncAge,
    int? DiskUsedPercent);
