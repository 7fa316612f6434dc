using System.Runtime.CompilerServices;
using Dledger.ClusterSimulation.Reports;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>The invariants by name, and how often each was evaluated. The first that does not hold ends the run.</summary>
internal sealed class Checks(SimulatedCluster cluster)
{
    /// <summary>What each means; the numbers are those of the design.</summary>
    public static readonly IReadOnlyDictionary<string, string> Meanings = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["I1"] = "at most one leader per term",
        ["I2"] = "a node's term never falls, and it votes once in a term, across its lives",
        ["I3"] = "the term of a message is durable before the message leaves",
        ["I4"] = "a leader's log holds everything that was committed before",
        ["I5"] = "a node without cluster or with a damaged log neither votes nor campaigns",
        ["I6"] = "a leader has the votes of a majority of the voters",
        ["I7"] = "what was delivered was committed before, with these bytes, at this offset",
        ["I8"] = "a process never leads a term that its disk knew when it started",
        ["I9"] = "the same position holds the same bytes on every node",
        ["I10"] = "frames are contiguous and chained",
        ["I11"] = "the first frame of a term, and no other, says that it starts",
        ["I12"] = "applied <= commit <= end and durable <= end",
        ["I13"] = "only what is not committed is cut away, and no leader cuts",
        ["I14"] = "what a node called durable survives its crashes",
        ["I15"] = "no crash leaves a log that counts as damaged",
        ["I16"] = "no range of a member is refused",
        ["I17"] = "a node reports as durable what is, and only as far as it knows the leader's log",
        ["I20"] = "a committed frame is the same on every node and in every life",
        ["I21"] = "commit never falls in one process life",
        ["I22"] = "a leader commits what a majority has, up to a frame of its own term",
        ["I23"] = "what is committed is durable on a majority, except for disks that were damaged",
        ["I24"] = "a follower's commit is one that a leader told",
        ["I25"] = "an ack comes after commit and apply, with the offset that the log gives",
        ["I26"] = "one member changes at a time",
        ["I27"] = "majorities of two configurations in a row have a member in common",
        ["I28"] = "a state checkpoint is not ahead of the log that it lies beside",
        ["I29"] = "a log gives up only what the cluster forgot and the own state checkpoint covers",
        ["I30"] = "a snapshot sets neither applied nor commit back",
        ["I31"] = "the state of a snapshot is that of the others at its position",
        ["I32"] = "no process ends by itself without a disk error",
        ["I33"] = "damage below the watermark is never cut away or served, and mended in the end",
        ["I34"] = "the directory of another node is refused",
        ["I35"] = "a read of where a queue ends shows all that was acked before it, and nothing uncommitted",
        ["I36"] = "equal applied positions mean equal state",
        ["I37"] = "queue offsets are dense and equal to the order of the log",
        ["I38"] = "within a queue positions rise with the offsets",
        ["I39"] = "the queue indexes of all nodes agree with the committed log",
        ["I40"] = "what was acked is readable at its offset on every node",
        ["I41"] = "a produce that began after another was acked lies behind it",
        ["I42"] = "a produce that was rejected never appears, none appears twice, a repeat is answered with the first result",
        ["I43"] = "every message is finished or in the dead letters once consumers work again",
        ["I44"] = "an attempt is delivered once, attempts rise, order is kept in ordered groups",
        ["I45"] = "an ack by a stale handle has no effect; what was acked stays acked",
        ["I46"] = "a delayed message is visible once, not early, not after a confirmed recall, and none is lost",
        ["I47"] = "a half message is visible once and only by its commit, with all of its transaction; else it stays until its checks end",
        ["I48"] = "a group's finished prefix of a queue never shrinks but by a seek",
        ["I49"] = "log time never falls along the log",
        ["I50"] = "after the faults stop a leader serves and all nodes converge",
        ["I55"] = "within a message group nothing overtakes what is not over, parked messages included",
        ["I58"] = "a seek by time goes to the first message of that time",
        ["I59"] = "a reader by offset sees every committed message of its queue in order, and nothing else",
        ["I60"] = "what stands in a queue is found by its id and its keys on every node, or the index says that it does not know",
        ["I61"] = "a key index without disk faults is complete in the end",
        ["I62"] = "a consumer is given only what its filter wants",
        ["I63"] = "in one leadership no more passes a quota than its rate and one burst; what a quota refused never appears",
        ["I64"] = "a replay delivers the finished messages of its selection again, none of the others, and moves no offset",
        ["I65"] = "a client of a broadcast group receives every message from where it began, whatever the others do",
        ["I66"] = "a key that a group acknowledged is not delivered to it again, and nothing is skipped whose key was not acknowledged",
        ["I67"] = "a message stands in exactly the topics whose routes want it, once each, as soon as it is acked, and never when refused",
        ["I68"] = "a message waits in the band of its priority, and none that is surely free is passed over for a less urgent one",
        ["I69"] = "every message of a lite topic reaches a client that asks for it, and none another one",
        ["I70"] = "a message that lived too long by log time is not handed out, and no other one is finished without an ack",
        ["I71"] = "a group of at most once is handed no message twice",
        ["I72"] = "no more messages are in flight than a group and a client may have, and who is held by it is told so",
        ["I73"] = "an exclusive group gives messages to one client until that says goodbye or is silent",
        ["I74"] = "a group is given nothing between a pause and its end",
        ["I75"] = "a lite topic ends by itself only when all it holds was acknowledged, and what it held is given to nobody afterwards",
        ["I76"] = "a dead letter is sent again once, as a copy or to its group, whoever asks and leads",
        ["I77"] = "a message of a batch is stored once, in order and side by side with the new ones of its batch, and answered with its place",
        ["I78"] = "a settled span means its messages and no other: only they are finished, and nobody else is given them before they are free",
    };

    /// <summary>
    /// Invariants of the design that no run evaluates by itself, and why. Those in code stop the process, which fails a run (I32).
    /// </summary>
    public static readonly IReadOnlyList<(string Names, string Reason)> NotEvaluated =
    [
        ("I18 I19", "nothing of a closed connection or an older write reaches the core; the simulation of the core breaks both"),
        ("I51", "whether an install kept the log or began a new one shows in no status; what is acked must survive either (I14)"),
    ];

    private const int NumberMax = 78;

    // By the number in the name.
    private readonly long[] _counts = new long[NumberMax + 1];

    /// <summary>How often each was evaluated.</summary>
    public IEnumerable<(string Name, long Count)> Counts => Meanings.Keys.Select(name => (name, _counts[NumberOf(name)]));

    public ReplicationChecks Replication { get; } = new(cluster);

    public CommitChecks Commits { get; } = new(cluster);

    public ElectionChecks Elections { get; } = new(cluster);

    /// <summary>
    /// The first failure. It may have been thrown inside of the production code, which takes it for a fault of its own, so the
    /// run looks here.
    /// </summary>
    public SimulationFailure? Failure { get; private set; }

    public void Check(string name, bool holds, string message)
    {
        _counts[NumberOf(name)]++;
        if (!holds)
        {
            Fail(name, message);
        }
    }

    /// <summary>The same with a text that is built only when needed.</summary>
    public void Check(
        string name, bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref CheckMessage message)
    {
        _counts[NumberOf(name)]++;
        if (!holds)
        {
            Fail(name, message.ToText());
        }
    }

    private static int NumberOf(string name)
    {
        var number = 0;
        foreach (var digit in name.AsSpan(1))
        {
            number = (10 * number) + digit - '0';
        }

        return number;
    }

    private void Fail(string name, string message)
    {
        Failure ??= new SimulationFailure(name, message);
        throw Failure;
    }
}
