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
        ["I2"] = "a node's term never falls in one process life",
        ["I7"] = "what was delivered was committed before, with these bytes, at this offset",
        ["I9"] = "the same position holds the same bytes on every node",
        ["I10"] = "frames are contiguous and chained",
        ["I12"] = "applied <= commit <= end and durable <= end",
        ["I14"] = "what a node called durable survives its crashes",
        ["I16"] = "no range of a member is refused",
        ["I20"] = "a committed frame is the same on every node and in every life",
        ["I21"] = "commit never falls in one process life",
        ["I25"] = "an ack comes after commit and apply, with the offset that the log gives",
        ["I28"] = "a state checkpoint is not ahead of the log that it lies beside",
        ["I32"] = "no process ends by itself without a disk error",
        ["I33"] = "damage below the watermark is never cut away or served, and mended in the end",
        ["I36"] = "equal applied positions mean equal state",
        ["I40"] = "what was acked is readable at its offset on every node",
        ["I41"] = "a produce that began after another was acked lies behind it",
        ["I42"] = "a produce that was rejected never appears, none appears twice",
        ["I43"] = "every message is finished or in the dead letters once consumers work again",
        ["I44"] = "an attempt is delivered once, attempts rise, order is kept in ordered groups",
        ["I45"] = "an ack by a stale handle has no effect; what was acked stays acked",
        ["I49"] = "log time never falls along the log",
        ["I50"] = "after the faults stop a leader serves and all nodes converge",
    };

    private const int NumberMax = 51;

    // By the number in the name.
    private readonly long[] _counts = new long[NumberMax + 1];

    /// <summary>How often each was evaluated.</summary>
    public IEnumerable<(string Name, long Count)> Counts => Meanings.Keys.Select(name => (name, _counts[NumberOf(name)]));

    public ReplicationChecks Replication { get; } = new(cluster);

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
