using Dledger.Primitives;
using Dledger.Storage.Logs;

namespace Dledger.Replication;

/// <summary>The settings of one node's part in one group. Sizes in bytes; every limit is explicit.</summary>
public sealed record ReplicationOptions
{
    /// <summary>
    /// Most voters. More of them survive no more in practice, and every message waits for more disks. An even number adds no
    /// safety but is allowed.
    /// </summary>
    public const int VoterCountMax = 9;

    /// <summary>The group; its number is part of every peer message.</summary>
    public RaftGroupId Group { get; init; } = RaftGroupId.First;

    /// <summary>This node; one of <see cref="Members"/>.</summary>
    public required NodeId Self { get; init; }

    /// <summary>
    /// Nodes whose addresses are known from the start, this node among them. They found the cluster when none has a
    /// directory yet; from then on the log says who the members are, and these are addresses to dial.
    /// </summary>
    public required IReadOnlyList<ClusterMember> Members { get; init; }

    /// <summary>Where clients reach this node, host:port; told to the other nodes. Empty: nowhere.</summary>
    public string ClientAddress { get; init; } = "";

    /// <summary>
    /// The kernel's boot id of this machine. A node that acknowledges before it syncs tells by it whether it may have lost
    /// something; empty when nothing is known.
    /// </summary>
    public Guid MachineBootId { get; init; }

    /// <summary>
    /// Whether a leader replaces a voter that comes back with another data directory by itself: it becomes a learner, and
    /// takes the old one's place once it has caught up. Never two at a time.
    /// </summary>
    public bool AutoReplace { get; init; } = true;

    /// <summary>
    /// Directory of this group inside the disk that is given to the node; empty means the disk's root.
    /// </summary>
    public string Directory { get; init; } = "";

    /// <summary>When a write counts as durable.</summary>
    public FlushMode FlushMode { get; init; } = FlushMode.QuorumSync;

    /// <summary>Sizes and rates of the log on disk; its frame cap is the cap of this group.</summary>
    public CommitLogOptions Log { get; init; } = new();

    /// <summary>Shortest time without a leader before a follower campaigns.</summary>
    public TimeSpan ElectionTimeoutMin { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest time without a leader before a follower campaigns.</summary>
    public TimeSpan ElectionTimeoutMax { get; init; } = TimeSpan.FromMilliseconds(1000);

    /// <summary>Time between two heart-beats; at most a sixth of <see cref="ElectionTimeoutMin"/>.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromMilliseconds(75);

    /// <summary>A leader stops cutting frames when this much is appended but not committed.</summary>
    public long UncommittedBytesMax { get; init; } = 64L << 20;

    /// <summary>A leader stops cutting frames when this much is committed but not applied.</summary>
    public long UnappliedBytesMax { get; init; } = 64L << 20;

    /// <summary>Proposals that wait to be cut into a frame, in bytes; beyond it the answer is Busy.</summary>
    public long WaitingProposalBytesMax { get; init; } = 64L << 20;

    /// <summary>Proposals that wait to be cut into a frame, by number; beyond it the answer is Busy.</summary>
    public int WaitingProposalCountMax { get; init; } = 65_536;

    /// <summary>Requests that wait for the apply loop; beyond it TryPost answers false.</summary>
    public int WaitingRequestCountMax { get; init; } = 65_536;

    /// <summary>Frames stop gathering at this size.</summary>
    public int FrameBytesTarget { get; init; } = 1 << 20;

    /// <summary>The newest frames that are kept in memory for followers, apply and readers.</summary>
    public long TailCacheBytesMax { get; init; } = 64L << 20;

    /// <summary>
    /// Rate at which nodes that lack much are brought up to date, bytes per second: at which a leader reads for all peers together that
    /// lack more than the tail cache holds, with twice the growth of the log on top, and at which a node fetches a snapshot.
    /// </summary>
    public long CatchUpBytesPerSecond { get; init; } = 64L << 20;

    /// <summary>Time between the beginnings of two readings of the whole log for damage.</summary>
    public TimeSpan ScrubInterval { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// A defect to seed, so that tests can prove that the simulation finds it: a follower fetches a snapshot of each new leader, and it
    /// takes the place of whatever this node has.
    /// </summary>
    internal bool InstallsEverySnapshot { get; init; }

    /// <summary>Every rule that these options break, as sentences; empty when they are usable.</summary>
    public IReadOnlyList<string> Validate()
    {
        var problems = new List<string>(Log.Validate());
        Require(
            Members.All(member => member.Node.Value is > 0 and <= NodeId.ValueMax),
            $"a member's id is outside 1 to {NodeId.ValueMax}");
        Require(
            Members.Select(member => member.Node).Distinct().Count() == Members.Count, "two members have the same id");
        Require(Members.Any(member => member.Node == Self), $"node {Self} is not among the members");
        Require(
            Members.Count <= VoterCountMax,
            $"there are {Members.Count} members, of which there may be {VoterCountMax} at most");
        Require(ElectionTimeoutMin > TimeSpan.Zero, "the shortest election timeout must be positive");
        Require(ElectionTimeoutMax > ElectionTimeoutMin, "the longest election timeout must exceed the shortest one");
        Require(
            HeartbeatInterval > TimeSpan.Zero && HeartbeatInterval * 6 <= ElectionTimeoutMin,
            "the heart-beat interval must be positive and at most a sixth of the shortest election timeout");
        Require(
            FrameBytesTarget >= 4096 && FrameBytesTarget <= Log.FrameBytesMax,
            $"the frame target must be 4096 bytes to the frame cap of {Log.FrameBytesMax}");
        Require(
            UncommittedBytesMax >= Log.FrameBytesMax && UnappliedBytesMax >= Log.FrameBytesMax
            && WaitingProposalBytesMax >= Log.FrameBytesMax && TailCacheBytesMax >= Log.FrameBytesMax,
            $"byte limits must be at least the frame cap of {Log.FrameBytesMax}");
        Require(CatchUpBytesPerSecond >= 1 << 16, "the rate of catching up must be at least 65536 bytes per second");
        Require(ScrubInterval > TimeSpan.Zero, "the interval of reading the log for damage must be positive");
        Require(WaitingProposalCountMax > 0 && WaitingRequestCountMax > 0, "counts must be positive");
        return problems;

        void Require(bool holds, string problem)
        {
            if (!holds)
            {
                problems.Add(problem);
            }
        }
    }
}
