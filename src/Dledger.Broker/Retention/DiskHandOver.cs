using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;

namespace Dledger.Broker.Retention;

/// <summary>What the disks of the other nodes mean for a leader (raft-and-storage.md 2.22). Owned by the apply loop.</summary>
/// <remarks>
/// A leader that refuses messages because its disk is nearly full hands over to a voter with room, and then leaves it at that for two
/// minutes, whatever comes of it. The new leader has no reason to hand back: only a node below <see cref="RoomyPercent"/> is a target.
/// </remarks>
internal sealed class DiskHandOver
{
    /// <summary>A node takes over only below this.</summary>
    public const int RoomyPercent = 80;

    /// <summary>From here on a node has no room for messages.</summary>
    public const int FullPercent = 97;

    private const long PauseMicroseconds = 120_000_000;

    private long? _lastAt;

    /// <summary>Hands over when that is called for.</summary>
    /// <returns>Who shall take over; null when nobody was asked.</returns>
    public NodeId? Work(IReplicatedLog log, DiskSpaceLevel level, long logTimeNow)
    {
        if (level < DiskSpaceLevel.RefuseProduce
            || (_lastAt is { } last && logTimeNow - last < PauseMicroseconds)
            || FindTarget(log.Status) is not { } target)
        {
            return null;
        }

        _lastAt = logTimeNow;

        // What comes of it shows in who leads; a failed attempt is repeated after the pause.
        _ = log.TransferLeadershipAsync(target, CancellationToken.None);
        return target;
    }

    /// <summary>The voter with the most room, of those that have enough; the lowest number among equals. Null: none has.</summary>
    public static NodeId? FindTarget(ReplicationStatus status)
    {
        PeerStatus? best = null;
        foreach (var peer in status.Peers)
        {
            if (peer is { IsConnected: true, DiskUsedPercent: < RoomyPercent }
                && IsVoter(status, peer.Node)
                && (best is null || peer.DiskUsedPercent < best.DiskUsedPercent))
            {
                best = peer;
            }
        }

        return best?.Node;
    }

    /// <summary>
    /// Whether a majority can do without the voters that have no room. They go on acknowledging, because acknowledgements of consumers and
    /// the giving up of old messages need them; but what fills their disks must end.
    /// </summary>
    public static bool MajorityHasRoom(ReplicationStatus status, DiskSpaceLevel ownLevel)
    {
        var voters = 1;
        var full = ownLevel >= DiskSpaceLevel.StopAck ? 1 : 0;
        foreach (var peer in status.Peers)
        {
            if (IsVoter(status, peer.Node))
            {
                voters++;
                full += peer is { IsConnected: true, DiskUsedPercent: >= FullPercent } ? 1 : 0;
            }
        }

        return voters - full > voters / 2;
    }

    private static bool IsVoter(ReplicationStatus status, NodeId node)
    {
        foreach (var member in status.Members)
        {
            if (member.Node == node && member.Role == MemberRole.Voter)
            {
                return true;
            }
        }

        return false;
    }
}
