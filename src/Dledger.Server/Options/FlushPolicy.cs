namespace Dledger.Server.Options;

/// <summary>What an acknowledged message has survived.</summary>
public enum FlushPolicy
{
    /// <summary>Synced to the disks of a majority: survives power loss of all nodes at once.</summary>
    QuorumSync,

    /// <summary>Written by a majority, synced soon after: a power loss of a majority may lose the last
    /// moments.</summary>
    QuorumAsync,
}
