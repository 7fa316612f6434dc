using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Broker.Streaming;
using Dledger.ClusterSimulation.Oracles;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// Reads the records of queues from the first offset to the last, as a stream without leases does, and now and then those of any other
/// place: it must see the committed log, every message once and nothing else.
/// </summary>
/// <param name="cluster">The run.</param>
/// <param name="streams">What it draws from.</param>
/// <param name="topic">What it reads.</param>
/// <param name="queueCount">Queues of the topic.</param>
/// <param name="topicId">The topic's number in the log; 0 before its first message.</param>
/// <param name="ackedEndOf">The offset behind the highest one of a queue that was acked.</param>
internal sealed class SliceReader(
    SimulatedCluster cluster, StreamWorkload streams, string topic, int queueCount, Func<int> topicId, Func<int, long> ackedEndOf)
{
    // As much as credit allows: now a part of a record, now more than a queue holds.
    private const int BytesMin = 64;
    private const int BytesMax = 64 << 10;
    private const int CountMax = 256;

    private readonly SimulationRandom _random = streams.Random;
    private readonly long[] _next = new long[queueCount];

    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(_random.NextInterval(cluster.Scenario.ConsumeInterval * 2));
            await ReadAsync(_random.Next(queueCount));
        }
    }

    /// <summary>What it has not read yet; null: nothing.</summary>
    public string? DescribeRest()
    {
        for (var queue = 0; queue < queueCount; queue++)
        {
            if (_next[queue] < cluster.Oracle.CountOf(topicId(), queue))
            {
                return $"queue {queue} of '{topic}' is read up to {_next[queue]} of {cluster.Oracle.CountOf(topicId(), queue)};";
            }
        }

        return null;
    }

    private async Task ReadAsync(int queue)
    {
        var isAside = _random.Chance(0.2);
        var offset = isAside ? _random.Next(0, cluster.Oracle.CountOf(topicId(), queue) + 3) : _next[queue];
        var known = ackedEndOf(queue);
        var request = new PullRequest
        {
            Group = "",
            Topic = topic,
            QueueId = queue,
            Offset = offset,
            BatchSize = 1 + _random.Next(CountMax),
            BytesMax = (int)_random.NextLogarithmic(BytesMin, BytesMax),
            LongPoll = TimeSpan.FromMicroseconds(_random.Chance(0.5) ? cluster.Scenario.LongPoll : 0),
        };
        var node = cluster.Calls.Choose();
        var slice = new RecordSlice { Unpacks = streams.DrawUnpacks() };
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node,
            broker => broker.ReadAsync(request, slice, CancellationToken.None),
            cluster.Scenario.CallPatience + cluster.Scenario.LongPoll);
        if (!isAnswered)
        {
            return;
        }

        cluster.Calls.Learn(node, outcome.Failure);
        if (outcome.NextOffset is not { } next)
        {
            return;
        }

        if (outcome.Failure is { Rule: BrokenRule.Offset })
        {
            CheckOutside(queue, offset, next, known);
        }
        else
        {
            CheckRecords(queue, offset, slice, next, outcome.EndOffset);
        }

        _next[queue] = isAside ? _next[queue] : next;
    }

    // Either the message is gone, or it was not there when the question was asked.
    private void CheckOutside(int queue, long offset, long next, long known)
    {
        var count = cluster.Oracle.CountOf(topicId(), queue);
        cluster.Checks.Check(
            "I59",
            next > offset
                ? cluster.Oracle.FindIn(topicId(), queue, offset) is { } stored && cluster.Oracle.IsGone(stored)
                : next >= known && next <= count,
            $"a reader of records at {queue}/{offset} of '{topic}' is sent to {next}; acked are {known}, committed {count}");
    }

    private void CheckRecords(int queue, long offset, RecordSlice slice, long next, long end)
    {
        cluster.Marks.Reach("records of a queue read");
        cluster.Checks.Check(
            "I59",
            next == offset + slice.Places.Count && next <= end && end <= cluster.Oracle.CountOf(topicId(), queue),
            $"a reader of records at {queue}/{offset} of '{topic}' is given {slice.Places.Count} and goes on at {next} of {end}");
        var rest = RecordCheck.Unfold(cluster, "I59", slice);
        foreach (var place in slice.Places)
        {
            cluster.Checks.Check(
                "I59", place.QueueId == queue && place.Offset.Value == offset, $"a reader is given {place} for {queue}/{offset} of '{topic}'");
            RecordCheck.Take(cluster, "I59", topicId(), place, ref rest);
            offset++;
        }

        cluster.Checks.Check("I59", rest.IsEmpty, $"{rest.Length} bytes follow the records of queue {queue} of '{topic}'");
    }
}
