using Dledger.Primitives;

namespace Dledger.Raft;

/// <summary>Timings and limits of one node of a group. All times are microseconds, all sizes bytes.</summary>
public sealed record RaftOptions
{
    /// <summary>This node.</summary>
    public required NodeId Self { get; init; }

    /// <summary>Identity of this node's data directory: with <see cref="Self"/> the member that it is, if it is one.</summary>
    public required Guid StorageId { get; init; }

    /// <summary>Shortest election timeout; within it a voter that hears its leader grants nothing. Below it: more false alarms.</summary>
    public long ElectionTimeoutMin { get; init; } = 500_000;

    /// <summary>Longest election timeout; above the shortest one.</summary>
    public long ElectionTimeoutMax { get; init; } = 1_000_000;

    /// <summary>Interval of heart-beats; at most a sixth of the shortest election timeout.</summary>
    public long HeartbeatInterval { get; init; } = 75_000;

    /// <summary>Shortest delay before a campaign when the leader's connection was reset.</summary>
    public long ResetDelayMin { get; init; } = 10_000;

    /// <summary>Longest delay before a campaign when the leader's connection was reset.</summary>
    public long ResetDelayMax { get; init; } = 60_000;

    /// <summary>
    /// A leader steps down when the newest request that a majority answered was sent longer ago than this. At least twice the
    /// shortest election timeout, so that a leader outlasts its followers' detection.
    /// </summary>
    public long CheckQuorumWindow { get; init; } = 1_000_000;

    /// <summary>A commit not carried by an append within this time goes out alone.</summary>
    public long CommitNoticeDelay { get; init; } = 1_000;

    /// <summary>How long a leader that hands over waits for its target to catch up.</summary>
    public long TransferCatchUpMax { get; init; } = 500_000;

    /// <summary>From this age of an unfinished sync on, a follower does not campaign and a leader hands over.</summary>
    public long StallLimit { get; init; } = 500_000;

    /// <summary>From this age of an unfinished sync on, a leader steps down even when nobody can take over.</summary>
    public long StallHardLimit { get; init; } = 5_000_000;

    /// <summary>Largest range of one append; a single larger frame goes alone.</summary>
    public int RangeBytesMax { get; init; } = 1 << 20;

    /// <summary>Largest range of an append that probes for the match position.</summary>
    public int ProbeBytesMax { get; init; } = 64 << 10;

    /// <summary>Bytes sent to one peer and not yet received by it.</summary>
    public long WindowBytesMax { get; init; } = 32L << 20;

    /// <summary>
    /// Bytes that a follower reports as received beyond those that it has synced. With the leader's window this bounds what a
    /// follower with a slow disk must keep in memory, and nobody has to stop reading the connection.
    /// </summary>
    public long UnsyncedBytesMax { get; init; } = 48L << 20;

    /// <summary>Bytes that a leader may have uncommitted before it takes no further frames.</summary>
    public long UncommittedBytesMax { get; init; } = 64L << 20;

    /// <summary>
    /// A node whose state machine has more than this many bytes of log to catch up on could not serve at once: it is handed the
    /// leadership later, and does not hurry to campaign.
    /// </summary>
    public long ApplyLagMax { get; init; } = 4L << 20;

    /// <summary>How long a leader that hands over goes on serving while its target's state machine catches up.</summary>
    public long TransferPrepareMax { get; init; } = 5_000_000;

    /// <summary>A learner may become a voter when it is at most this many bytes behind the leader's end in two rounds in a row.</summary>
    public long PromotionLagMax { get; init; } = 1 << 20;

    /// <summary>A defect to seed, so that tests can prove that the simulator finds it. None outside of tests.</summary>
    internal SeededDefect Defect { get; init; }

    /// <summary>Every rule that these options break, as sentences; empty when they are usable.</summary>
    public IReadOnlyList<string> Validate()
    {
        var problems = new List<string>();
        Require(Self.Value is > 0 and <= NodeId.ValueMax, $"node id {Self} is outside 1 to {NodeId.ValueMax}");
        Require(ElectionTimeoutMin > 0, "the shortest election timeout must be positive");
        Require(ElectionTimeoutMax > ElectionTimeoutMin, "the longest election timeout must exceed the shortest one");
        Require(
            HeartbeatInterval > 0 && HeartbeatInterval * 6 <= ElectionTimeoutMin,
            "the heart-beat interval must be positive and at most a sixth of the shortest election timeout");
        Require(
            ResetDelayMin >= 0 && ResetDelayMax > ResetDelayMin,
            "the longest reset delay must exceed the shortest one");
        Require(
            CheckQuorumWindow >= 2 * ElectionTimeoutMin,
            "the check-quorum window must be at least twice the shortest election timeout");
        Require(
            RangeBytesMax > 0 && ProbeBytesMax > 0 && WindowBytesMax > 0 && UnsyncedBytesMax > 0
            && UncommittedBytesMax > 0 && PromotionLagMax > 0 && ApplyLagMax > 0,
            "sizes must be positive");
        return problems;

        void Require(bool condition, string problem)
        {
            if (!condition)
            {
                problems.Add(problem);
            }
        }
    }
}
