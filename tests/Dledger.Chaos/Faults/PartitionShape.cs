namespace Dledger.Chaos.Faults;

/// <summary>How the links between the nodes are cut.</summary>
internal enum PartitionShape
{
    /// <summary>F3: the leader alone, both ways, from nodes and clients.</summary>
    LeaderAlone,

    /// <summary>F3: the leader cannot reach the other nodes, but every client reaches every node.</summary>
    LeaderFromPeers,

    /// <summary>F4: the leader hears and is not heard by the other nodes.</summary>
    LeaderMute,

    /// <summary>F4: the leader is heard and does not hear the other nodes.</summary>
    LeaderDeaf,

    /// <summary>F5: two halves that only one node, not the leader, can reach both of.</summary>
    Bridge,

    /// <summary>F5: every node sees a majority, and no two nodes the same one.</summary>
    Ring,

    /// <summary>F6: the clients cannot reach the leader.</summary>
    ClientsFromLeader,

    /// <summary>F5: all links of a random part of the nodes stop one by one and come back in another order.</summary>
    Swizzle,
}
