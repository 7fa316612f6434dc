using System.Globalization;
using Dledger.Broker;
using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Broker.Streaming;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// Takes deliveries of many messages as a consume stream does, and settles them by spans: at once, in parts and out of order, again, late;
/// it acknowledges, gives back, renews or forgets.
/// </summary>
internal sealed class SpanConsumer(SimulatedCluster cluster, StreamWorkload streams, int number)
{
    private const int CountMax = 40;
    private const int TriesMax = 4;
    private const int LateMax = 6;

    private readonly string _clientId = string.Create(CultureInfo.InvariantCulture, $"stream {number}");
    private readonly List<(long DeliveryId, IReadOnlyList<MessageRange> Ranges)> _late = [];

    public async Task RunAsync()
    {
        while (true)
        {
            await cluster.Calls.DelayAsync(streams.Random.NextInterval(
                cluster.IsHealed ? cluster.Scenario.ElectionTimeout / 2 : 2 * cluster.Scenario.ConsumeInterval));
            if (await ReceiveAsync() is var (deliveryId, ranges) && ranges.Count > 0)
            {
                await SettleAsync(deliveryId, ranges);
            }
        }
    }

    private async Task<(long DeliveryId, IReadOnlyList<MessageRange> Ranges)> ReceiveAsync()
    {
        var random = streams.Random;
        var node = cluster.Calls.Choose();
        var longPoll = random.Chance(0.5) ? cluster.Scenario.LongPoll : 0;
        var request = new ReceiveRequest
        {
            Group = SpanHistory.Group,
            Topic = SpanHistory.Topic,
            BatchSize = 1 + random.Next(CountMax),
            BatchSizeMax = Limits.StreamBatchMax,
            BytesMax = Limits.BatchRecordBytesMax,
            InvisibleDuration = TimeSpan.FromMicroseconds(cluster.Scenario.InvisibleTime),
            LongPoll = TimeSpan.FromMicroseconds(longPoll),
            ReturnsRecords = true,
            Unpacks = streams.DrawUnpacks(),
            ClientId = _clientId,
        };
        var begun = cluster.Events.Now;
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.ReceiveAsync(request, CancellationToken.None), cluster.Scenario.CallPatience + longPoll);
        if (!isAnswered)
        {
            return (0, []);
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        var slice = new RecordSlice { Unpacks = request.Unpacks };
        outcome.CopyTo(slice);
        var deliveryId = outcome.Messages.Count == 0 ? 0 : outcome.Messages[0].DeliveryId;
        outcome.Return();
        if (slice.Places.Count == 0)
        {
            return (0, []);
        }

        if (cluster.Trace.IsOn)
        {
            cluster.Trace.Line(_clientId, $"delivery {deliveryId} of node {node.Id}: {string.Join(", ", slice.Places)}");
        }

        streams.Spans.Delivered(_clientId, deliveryId, slice, begun);
        return (deliveryId, RangesOf(slice.Places));
    }

    private async Task SettleAsync(long deliveryId, IReadOnlyList<MessageRange> ranges)
    {
        var random = streams.Random;
        if (cluster.IsHealed)
        {
            await SettleAsync(Settlement.Ack, deliveryId, ranges);
            return;
        }

        switch (random.Next(8))
        {
            case 0 or 1 or 2:
                await SettleAsync(Settlement.Ack, deliveryId, ranges);
                break;
            case 3 or 4:
                await SettlePartsAsync(deliveryId, ranges);
                break;
            case 5:
                await SettleAsync(Settlement.Renew, deliveryId, ranges);
                await cluster.Calls.DelayAsync(random.NextInterval(cluster.Scenario.InvisibleTime / 2));
                await SettleAsync(Settlement.Ack, deliveryId, ranges);
                break;
            case 6:
                await SettleAsync(Settlement.Retry, deliveryId, ranges);
                break;
            default:
                // Whoever is given the messages next has them when this comes, or it never comes.
                _late.Add((deliveryId, ranges));
                break;
        }

        if (_late.Count > LateMax || (_late.Count > 0 && random.Chance(0.1)))
        {
            var (late, lateRanges) = _late[0];
            _late.RemoveAt(0);
            if (random.Chance(0.7))
            {
                await SettleAsync(Settlement.Ack, late, lateRanges);
            }
        }
    }

    // Pieces of the spans in any order, each with an end of its own, some of them twice.
    private async Task SettlePartsAsync(long deliveryId, IReadOnlyList<MessageRange> ranges)
    {
        var random = streams.Random;
        var pieces = ranges.SelectMany(Cut).ToList();
        while (pieces.Count > 0)
        {
            var piece = pieces[random.Next(pieces.Count)];
            pieces.Remove(piece);
            var settlement = random.Next(6) switch
            {
                0 => Settlement.Retry,
                1 => Settlement.Renew,
                _ => Settlement.Ack,
            };
            await SettleAsync(settlement, deliveryId, [piece]);
            if (random.Chance(0.2))
            {
                await SettleAsync(Settlement.Ack, deliveryId, [piece]);
            }
        }
    }

    private IEnumerable<MessageRange> Cut(MessageRange range)
    {
        for (var done = 0; done < range.Count;)
        {
            var count = 1 + streams.Random.Next(range.Count - done);
            yield return new MessageRange(range.QueueId, range.First + done, count);
            done += count;
        }
    }

    private async Task SettleAsync(Settlement settlement, long deliveryId, IReadOnlyList<MessageRange> ranges)
    {
        var random = streams.Random;
        var after = settlement == Settlement.Ack ? 0 : 1 + random.Next(0, cluster.Scenario.InvisibleTime);
        var request = new SettleRequest
        {
            Group = SpanHistory.Group,
            Topic = SpanHistory.Topic,
            ClientId = _clientId,
            DeliveryId = deliveryId,
            Ranges = ranges,
            Settlement = settlement,
            After = TimeSpan.FromMicroseconds(settlement == Settlement.Retry && random.Chance(0.3) ? 0 : after),
        };
        for (var tries = 0; tries < TriesMax; tries++)
        {
            var node = cluster.Calls.Choose();
            streams.Spans.SettleInvoked(settlement, deliveryId, ranges);
            var (isAnswered, failure) = await cluster.Calls.CallAsync(
                node, broker => broker.SettleAsync(request, CancellationToken.None), cluster.Scenario.CallPatience);
            if (cluster.Trace.IsOn)
            {
                var what = isAnswered ? $"{failure?.ToString() ?? "done"}" : "no answer";
                cluster.Trace.Line(_clientId, $"{settlement} of {string.Join(", ", ranges)} of {deliveryId} by node {node.Id}: {what}");
            }

            if (isAnswered && failure is null)
            {
                cluster.Calls.Learn(node, failure);
                streams.Spans.Settled(settlement, deliveryId, ranges);
                return;
            }

            if (failure is { Error: BrokerError.InvalidHandle })
            {
                cluster.Marks.Reach("settlement of a stale delivery");
                return;
            }

            if (isAnswered)
            {
                cluster.Calls.Learn(node, failure);
            }

            await cluster.Calls.DelayAsync(random.NextInterval(cluster.Scenario.ConsumeInterval));
        }
    }

    private static List<MessageRange> RangesOf(IReadOnlyList<RecordPlace> places)
    {
        var ranges = new List<MessageRange>();
        foreach (var place in places)
        {
            if (ranges.Count > 0
                && ranges[^1] is var last
                && last.QueueId == place.QueueId
                && last.First + last.Count == place.Offset.Value)
            {
                ranges[^1] = last with { Count = last.Count + 1 };
            }
            else
            {
                ranges.Add(new MessageRange(place.QueueId, place.Offset.Value, 1));
            }
        }

        return ranges;
    }
}
