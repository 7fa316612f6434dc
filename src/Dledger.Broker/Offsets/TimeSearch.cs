using Dledger.Broker.StateMachine;
using Dledger.Storage.Queues;

namespace Dledger.Broker.Offsets;

/// <summary>Finds, in several queues at a time, the first message that was stored at a time or later.</summary>
/// <remarks>
/// The index has no times, so the search reads headers of records: by halves, all queues in step, the index on the apply loop, the log
/// beside it. Relies on store times that rise with the offsets. What is given up meanwhile counts as older than any time.
/// </remarks>
internal sealed class TimeSearch(BrokerCalls calls, int topicId, IReadOnlyList<int> queueIds, long time)
{
    private const int TriesMax = 3;

    private readonly Range[] _ranges = new Range[queueIds.Count];

    /// <summary>One offset for each queue, its end when nothing is so new; or why it cannot be said.</summary>
    public async ValueTask<(long[]? Offsets, BrokerFailure? Failure)> RunAsync(CancellationToken cancellationToken)
    {
        if (await LookAsync(Begin, cancellationToken) is { } atStart)
        {
            return (null, atStart);
        }

        while (Array.Exists(_ranges, static range => range.IsOpen))
        {
            if (await LookAsync(Probe, cancellationToken) is { } failure)
            {
                return (null, failure);
            }

            for (var i = 0; i < _ranges.Length; i++)
            {
                if (_ranges[i].IsOpen && !TryNarrow(ref _ranges[i]))
                {
                    return (null, new BrokerFailure(
                        BrokerError.Unavailable,
                        $"the record of offset {_ranges[i].Middle} in queue {queueIds[i]} cannot be read at present"));
                }
            }
        }

        return ([.. _ranges.Select(static range => range.Low)], null);
    }

    private ValueTask<BrokerFailure?> LookAsync(
        Func<BrokerState, BrokerFailure?> look, CancellationToken cancellationToken) =>
        calls.LookAsync(look, static failure => failure, cancellationToken);

    private BrokerFailure? Begin(BrokerState state)
    {
        if (state.Topics.Find(topicId) is not { } topic)
        {
            return new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted");
        }

        for (var i = 0; i < _ranges.Length; i++)
        {
            var queue = topic.Queues[queueIds[i]];
            _ranges[i] = new Range { Low = queue.Min, High = queue.Max };
        }

        return null;
    }

    private BrokerFailure? Probe(BrokerState state)
    {
        if (state.Topics.Find(topicId) is not { } topic)
        {
            return new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted");
        }

        for (var i = 0; i < _ranges.Length; i++)
        {
            ref var range = ref _ranges[i];
            var queue = topic.Queues[queueIds[i]];
            range.Low = Math.Min(Math.Max(range.Low, queue.Min), range.High);
            if (range.IsOpen)
            {
                range.Middle = range.Low + ((range.High - range.Low) / 2);
                range.Entry = queue.Read(range.Middle);
            }
        }

        return null;
    }

    private bool TryNarrow(ref Range range)
    {
        if (!calls.Records.TryReadStoreTime(range.Entry.Position, range.Entry.Size, out var storeTime))
        {
            // Given up since the index was read, or unreadable: the next look at the queue tells.
            return ++range.Tries <= TriesMax;
        }

        if (storeTime < time)
        {
            range.Low = range.Middle + 1;
        }
        else
        {
            range.High = range.Middle;
        }

        range.Tries = 0;
        return true;
    }

    // Everything below Low is older, what is at High or behind it is not.
    private struct Range
    {
        public long Low;
        public long High;
        public long Middle;
        public int Tries;
        public ConsumeQueueEntry Entry;

        public readonly bool IsOpen => Low < High;
    }
}
