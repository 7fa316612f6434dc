namespace Dledger.ClusterSimulation.Reports;

/// <summary>Faults that bit and rare branches that were taken; a campaign of runs must have reached every one of them.</summary>
internal sealed class Marks
{
    /// <summary>All of them; a mark outside of this list is a mistake in the simulator.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        "ack by a handle from before a seek",
        "ack refused after a seek",
        "ack refused for a stale handle",
        "addition of a node asked",
        "all machines lost power",
        "batch stored as it was compressed",
        "change of the members done",
        "clock jump",
        "connection broken",
        "copy of a delayed or transactional message routed",
        "crash inside a disk call",
        "copy of a delayed message without effect",
        "dead letter sent again",
        "dead letter sent to its group again",
        "dead letter stored",
        "delayed message copied forward",
        "record of a stream stored",
        "batch of repeats and new messages",
        "span acknowledged",
        "span given back",
        "span renewed",
        "settlement of a stale delivery",
        "message of a span delivered again",
        "records of a queue read",
        "delayed message delivered",
        "delayed message moved",
        "delayed message taken back",
        "directory of another node refused",
        "disk full",
        "disk lost for good",
        "disk stall",
        "drain",
        "error of a sync",
        "exclusive group taken over after a goodbye",
        "exclusive group taken over after silence",
        "finished message replayed",
        "graceful stop",
        "group moved by a seek",
        "group paused",
        "leader changed",
        "leader killed",
        "leader frozen",
        "link cut one way",
        "lite topic deleted",
        "lite topic ended by itself",
        "log damaged below the watermark",
        "long absence",
        "member of a broadcast group ended",
        "message delivered again",
        "message found by key",
        "message moved to the dead letters on request",
        "blocked message tried again",
        "message of a lite topic that ended meanwhile",
        "message of a message group becomes a dead letter",
        "message parked",
        "message that lived too long finished",
        "message that lived too long moved to the dead letters",
        "messages wait behind a parked one",
        "released message delivered",
        "repeat of a key finished without delivery",
        "repeat of a routed message without effect",
        "route added or removed under load",
        "routed message refused",
        "several message groups in one batch",
        "node ends by itself",
        "pause",
        "pause of a group ended by itself",
        "offset of a group committed",
        "old messages given up",
        "old messages of a topic given up",
        "partition",
        "place of the log unreadable",
        "power loss",
        "process killed",
        "produce refused",
        "produce with unknown outcome",
        "produce with unknown outcome was stored",
        "repeat in the log without effect",
        "repeat answered with the first result",
        "pull answered",
        "read of the log failed",
        "read of the end of a queue",
        "receive held by a quota",
        "receive held by messages in flight",
        "removal of a node asked",
        "send over its quota refused",
        "replayed message delivered",
        "slot of the meta file damaged",
        "snapshot installed",
        "slow disk",
        "state checkpoint damaged",
        "state restored from a checkpoint",
        "transaction committed",
        "transaction committed after a check",
        "transaction given up after its checks",
        "transaction rolled back",
        "transfer",
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
