namespace Dledger.Simulation.Reports;

/// <summary>Rare branches that a campaign of runs must have reached; how often it did.</summary>
internal sealed class Marks
{
    /// <summary>Every branch that counts; a mark outside of this list is a mistake in the simulator.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        "ack of the leader missing at commit",
        "acknowledged frames lost",
        "append deferred for the meta file",
        "append of a rejected stream ignored",
        "append of an older session ignored",
        "append rejected",
        "append with older term refused",
        "campaign delayed by a sync stall",
        "candidate steps back for a leader",
        "change done",
        "change refused",
        "change with unknown outcome",
        "commit notice alone",
        "configuration rolled back",
        "crash loses unsynced frames",
        "crash with an unwritten vote",
        "durable notice of an older generation",
        "elected by a joint configuration",
        "election after a reset connection",
        "frame larger than a range",
        "frames skipped as known",
        "joint configuration committed",
        "leader removed itself",
        "leader resigns",
        "leader steps down for a higher term",
        "leader steps down without quorum",
        "leadership confirmed",
        "learner promoted",
        "loss flag cleared",
        "node restarted",
        "node wiped",
        "passive node activated",
        "pause of a node",
        "pre-vote refused",
        "probe at the peer's own end",
        "range read from disk",
        "removed node is told",
        "second rejection of a stream ignored",
        "single voter elected",
        "split vote",
        "term adopted from a reply",
        "transfer failed",
        "transfer succeeded",
        "truncation",
        "truncation across an epoch",
        "unanimous election",
        "vote refused",
        "vote with reserve",
        "voter replaced",
        "whole cluster has the loss flag",
        "whole cluster lost power",
        "window full",
    ];

    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public Marks()
    {
        foreach (var name in Names)
        {
            _counts[name] = 0;
        }
    }

    public IReadOnlyDictionary<string, long> Counts => _counts;

    public void Reach(string name)
    {
        if (!_counts.TryGetValue(name, out var count))
        {
            throw new InvalidOperationException($"mark '{name}' is not in the list");
        }

        _counts[name] = count + 1;
    }

    public void Add(Marks other)
    {
        foreach (var (name, count) in other._counts)
        {
            _counts[name] += count;
        }
    }
}
