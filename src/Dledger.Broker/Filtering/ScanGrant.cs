using Dledger.Broker.Commands;
using Dledger.Broker.Deduplication;
using Dledger.Broker.Quotas;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.Storage.Queues;

namespace Dledger.Broker.Filtering;

/// <summary>
/// Records that a receive has to look at before it is known which it gets: kept away from other receives until it is ended. No record of
/// the log stands for it; a fail-over forgets it and nothing is lost.
/// </summary>
internal sealed class ScanGrant
{
    /// <summary>Most records of one scan: what bounds the work between two looks at the clock.</summary>
    public const int CountMax = 256;

    private readonly Action<ScanGrant> _abandon;
    private int _ended;

    /// <param name="receivers">Whose receives they are kept away from.</param>
    /// <param name="queues">The candidates, as ranges to hand out.</param>
    /// <param name="topic">Their topic; read on the apply loop, which calls this.</param>
    /// <param name="abandon">Gives the candidates free from any thread.</param>
    public ScanGrant(
        Receivers receivers, IReadOnlyList<LeaseQueue> queues, TopicState topic, Action<ScanGrant> abandon)
    {
        Receivers = receivers;
        Queues = queues;
        _abandon = abandon;
        var inOrder = topic.View.IsPriority ? queues.OrderByDescending(queue => queue.QueueId) : queues.AsEnumerable();
        Candidates = [.. inOrder.SelectMany(queue => queue.Leased.SelectMany(range => Read(topic, queue.QueueId, range)))];
    }

    public Receivers Receivers { get; }

    /// <summary>Whose receive it is.</summary>
    public required long ClientHash { get; init; }

    /// <summary>Most messages that may be handed out: the batch, or less where limits of the group say so.</summary>
    public required int LeasedMax { get; init; }

    /// <summary>What the quotas are charged until it ends.</summary>
    public QuotaCharge Charge { get; set; }

    /// <summary>Whether the messages of one message group are handed out in order.</summary>
    public required bool IsOrdered { get; init; }

    /// <summary>By what the group knows that it has processed a message.</summary>
    public required DedupSettings Dedup { get; init; }

    /// <summary>For each of <see cref="Queues"/> the message groups that are reserved for it.</summary>
    public required IReadOnlyList<IReadOnlyCollection<int>> Reserved { get; init; }

    /// <summary>Where <see cref="LeasedMax"/> is counted until the scan ends.</summary>
    public required InFlightLimits Limits { get; init; }

    public IReadOnlyList<LeaseQueue> Queues { get; }

    /// <summary>Queue by queue, the most urgent first where queues are bands of priority; offsets ascending.</summary>
    public IReadOnlyList<ScanCandidate> Candidates { get; }

    /// <summary>Bytes of the records of those that are to be handed out.</summary>
    public long BytesOf(IReadOnlyList<LeaseQueue> queues) => queues.Sum(queue => queue.Leased.Sum(range => Candidates
        .Where(each => each.QueueId == queue.QueueId && each.Offset >= range.First && each.Offset < range.First + range.Count)
        .Sum(each => (long)each.Entry.Size)));

    /// <summary>Ends the scan without a verdict. Any thread.</summary>
    public void Abandon() => _abandon(this);

    /// <summary>Whether it was not ended before. Called on the apply loop.</summary>
    public bool TryEnd() => Interlocked.Exchange(ref _ended, 1) == 0;

    private static IEnumerable<ScanCandidate> Read(TopicState topic, int queueId, OffsetRange range)
    {
        var entries = new ConsumeQueueEntry[range.Count];
        var count = topic.Queues[queueId].Read(range.First, entries);
        return entries.Take(count).Select((entry, i) => new ScanCandidate(queueId, range.First + i, entry));
    }
}

/// <summary>One message to look at.</summary>
internal readonly record struct ScanCandidate(int QueueId, long Offset, ConsumeQueueEntry Entry);
