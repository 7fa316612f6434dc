using Dledger.Primitives;

namespace Dledger.Replication;

/// <summary>What a node knows of one other member.</summary>
/// <param name="Node">The member.</param>
/// <param name="IsConnected">A session is open.</param>
/// <param name="Match">On a leader: the member's log is durable and equal up to here. Elsewhere zero.</param>
/// <param name="LagBytes">On a leader: own end minus match. Elsewhere 0.</param>
/// <param name="LastContactAgo">Time since the last message from the member; null when there was none.</param>
/// <param name="DiskUsedPercent">
/// On a leader: how full the member's disk is, 0 to 100, 0 as well with room enough in any case; null when it did not say.
/// </param>
public sealed record PeerStatus(
    NodeId Node, bool IsConnected, LogPosition Match, long LagBytes, TimeSpan? LastContactAgo, int? DiskUsedPercent = null);
