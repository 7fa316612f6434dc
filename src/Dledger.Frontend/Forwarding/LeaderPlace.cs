namespace Dledger.Frontend.Forwarding;

/// <summary>Where the leader is, seen from this node.</summary>
internal enum LeaderPlace
{
    /// <summary>An election goes on, or the elected node is not ready yet.</summary>
    Unknown,

    /// <summary>This node leads and serves.</summary>
    Here,

    /// <summary>Another node leads.</summary>
    Elsewhere,
}
