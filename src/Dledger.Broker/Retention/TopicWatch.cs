using Dledger.Broker.Messages;
using Dledger.Broker.Topics;
using Dledger.Primitives;

namespace Dledger.Broker.Retention;

/// <summary>What the serving leader knows of a topic that has a retention of its own. Volatile, owned by the apply loop.</summary>
internal sealed class TopicWatch(TopicRetention retention)
{
    private const long IntervalMin = 1_000_000;
    private const long IntervalMax = 60_000_000;
    private const long SizeInterval = 5_000_000;

    // A topic holds at most about one part in so many more than it wishes.
    private const int BlocksPerQueue = 16;
    private const int CutsMax = 10_000;

    private readonly List<ExpirySearch> _searches = [];
    private readonly List<QueueBacklog> _backlogs = [];

    public TopicRetention Retention { get; } = retention;

    /// <summary>Log time of the next look.</summary>
    public long NextAt { get; set; }

    /// <summary>A trim is on its way.</summary>
    public bool IsProposed { get; set; }

    /// <summary>How long a look is good for: the messages may stay so much longer than they must.</summary>
    public long Interval
    {
        get
        {
            var byTime = Retention.Microseconds > 0
                ? Math.Clamp(Retention.Microseconds / 60, IntervalMin, IntervalMax)
                : IntervalMax;
            return Retention.Bytes > 0 ? Math.Min(byTime, SizeInterval) : byTime;
        }
    }

    /// <summary>The first offsets to keep, of those queues that have older ones.</summary>
    public List<(int QueueId, long Min)> FindTrims(
        TopicState topic, RecordReader records, LogPosition logStart, long logTimeNow, ref RetentionBudget budget)
    {
        while (_searches.Count < topic.Queues.Count)
        {
            _searches.Add(new ExpirySearch());
            _backlogs.Add(new QueueBacklog());
        }

        var kept = topic.Queues.Select(queue => queue.Min).ToArray();
        if (Retention.Microseconds > 0)
        {
            var reads = budget.LogReads;
            for (var i = 0; i < kept.Length; i++)
            {
                kept[i] = _searches[i].FindKept(
                    topic.Queues[i], records, logStart, logTimeNow - Retention.Microseconds, ref reads);
            }

            budget = budget with { LogReads = reads };
        }

        if (Retention.Bytes > 0)
        {
            Count(topic, ref budget);
            TakeExcess(kept);
        }

        var trims = new List<(int QueueId, long Min)>();
        for (var i = 0; i < kept.Length; i++)
        {
            if (kept[i] > topic.Queues[i].Min)
            {
                trims.Add((i, kept[i]));
            }
        }

        return trims;
    }

    private void Count(TopicState topic, ref RetentionBudget budget)
    {
        var blockBytes = Math.Max(1, Retention.Bytes / (BlocksPerQueue * topic.Queues.Count));
        var entries = budget.IndexEntries;
        for (var i = 0; i < topic.Queues.Count; i++)
        {
            _backlogs[i].Follow(topic.Queues[i], blockBytes, ref entries);
        }

        budget = budget with { IndexEntries = entries };
    }

    // The oldest block of all queues goes while what is left has the wanted size.
    private void TakeExcess(long[] kept)
    {
        var excess = _backlogs.Sum(backlog => backlog.Bytes) - Retention.Bytes;
        var taken = new int[kept.Length];
        for (var cuts = 0; cuts < CutsMax && excess > 0; cuts++)
        {
            var oldest = -1;
            for (var i = 0; i < kept.Length; i++)
            {
                if (_backlogs[i].At(taken[i]) is { } block
                    && (oldest < 0 || block.Position < _backlogs[oldest].At(taken[oldest])!.Value.Position))
                {
                    oldest = i;
                }
            }

            if (oldest < 0 || _backlogs[oldest].At(taken[oldest]) is not { } found || found.Bytes > excess)
            {
                return;
            }

            excess -= found.Bytes;
            taken[oldest]++;
            kept[oldest] = Math.Max(kept[oldest], found.End);
        }
    }
}
