namespace Dledger.Replication.Peers;

/// <summary>What a connection between two nodes is for. Sent in a Hello: the numbers never change.</summary>
internal enum PeerLane
{
    /// <summary>Raft messages.</summary>
    Raft = 0,

    /// <summary>Bulk requests and their answers.</summary>
    Bulk = 1,
}
