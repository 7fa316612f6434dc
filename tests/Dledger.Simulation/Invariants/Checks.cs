using System.Runtime.CompilerServices;
using Dledger.Primitives;
using Dledger.Simulation.Reports;

namespace Dledger.Simulation.Invariants;

/// <summary>The registry of what must hold in a run: each invariant by its name, and how often it was evaluated.</summary>
internal sealed class Checks
{
    /// <summary>Name and meaning. The core asserts some of them as well; here they are judged from outside, over all nodes.</summary>
    public static readonly IReadOnlyDictionary<string, string> Meanings = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["I1"] = "at most one leader per term (Raft 5.2, election safety)",
        ["I2"] = "a node's term never falls, and it votes for at most one candidate in a term, also across crashes (Raft 5.1, 5.2)",
        ["I3"] = "a term is durable before a frame of it is written and before a message with it leaves (Raft figure 2)",
        ["I4"] = "a leader's log holds every committed frame of earlier terms (Raft 5.4, leader completeness)",
        ["I5"] = "a passive node grants nothing and does not campaign; one with loss flag grants only with reserve",
        ["I6"] = "a leader has the durable votes of a majority of the voters, by node and storage, of both halves when joint (Raft 5.2, 6)",
        ["I7"] = "a leader only appends (Raft 5.3, leader append-only)",
        ["I8"] = "a restarted process never leads in a term that it knew before",
        ["I9"] = "logs that end a frame of one term at one position are equal before it (Raft 5.3, log matching)",
        ["I10"] = "frames are contiguous and chained",
        ["I11"] = "the epoch table equals that of a full scan, and a term's first frame is marked",
        ["I12"] = "start <= commit <= end and durable <= end",
        ["I13"] = "a log is cut at or behind its commit, by a follower, and never what the leader's term knows as committed",
        ["I14"] = "what was acknowledged as durable survives a crash",
        ["I16"] = "a legal leader's range is never refused as malformed",
        ["I17"] = "an ack covers only bytes that equal the leader's log and are synced",
        ["I18"] = "an append of an older session or a rejected stream changes nothing, nor does a second rejection of one stream",
        ["I19"] = "a writer notice of an older generation changes nothing",
        ["I20"] = "a committed frame stays what it is at its position, on every node",
        ["I21"] = "commit is monotone in one process life",
        ["I22"] = "a leader commits only what a majority of the voters (of both halves) matched, behind the start of its own term (Raft 5.4.2)",
        ["I23"] = "at the moment of commit a majority holds the bytes durably",
        ["I24"] = "a follower's commit is not beyond what it verified",
        ["I25"] = "what a client was promised is in the committed log at the promised position",
        ["I26"] = "the newest configuration of a node's log is in force there, and a leader cuts none before the last one is committed",
        ["I27"] = "two consecutive configurations have no two quorums without a common voter (Raft 6)",
        ["I34"] = "a node that lost frames decides again only with all committed ones that it once had",
        ["I35"] = "a node that proved its leadership had committed all that anybody had when it was asked (thesis 6.4)",
        ["I41"] = "a proposal that began after another was acknowledged lies behind it",
        ["I50"] = "after the faults stop a leader exists and all nodes converge within 5 election timeouts",
        ["CQ"] = "a leader's majority answered requests that were sent within the check-quorum window (thesis 6.2)",
        ["P5"] = "a voter that refuses an outdated asker, and knows no leader, campaigns soon itself",
        ["T"] = "a leader hands over only to a voter (thesis 3.10)",
    };

    private readonly Dictionary<string, long> _counts = Meanings.Keys.ToDictionary(name => name, _ => 0L);

    /// <summary>
    /// The invariants that name a damage itself, not the step that leads to it. A defect must also be found by these alone.
    /// </summary>
    public static readonly IReadOnlySet<string> Outcomes =
        new HashSet<string>(StringComparer.Ordinal) { "core", "I1", "I4", "I9", "I14", "I20", "I25", "I35", "I41", "I50" };

    private readonly IReadOnlySet<string>? _only;

    public Checks(IReadOnlySet<string>? only)
    {
        _only = only;
        Elections = new ElectionChecks(this);
        Log = new LogChecks(this);
        Commits = new CommitChecks(this);
        Members = new MemberChecks(this);
    }

    public ElectionChecks Elections { get; }

    public LogChecks Log { get; }

    public CommitChecks Commits { get; }

    public MemberChecks Members { get; }

    public IReadOnlyDictionary<string, long> Counts => _counts;

    /// <summary>Counts an evaluation and ends the run when the condition is false.</summary>
    public void Check(
        string invariant,
        bool condition,
        [InterpolatedStringHandlerArgument(nameof(condition))] InvariantMessage message)
    {
        _counts[invariant]++;
        if (!condition && _only?.Contains(invariant) != false)
        {
            throw new SimulationFailure(invariant, message.ToString());
        }
    }
}
