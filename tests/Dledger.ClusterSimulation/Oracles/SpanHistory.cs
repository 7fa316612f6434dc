using Dledger.Broker.Commands;
using Dledger.Broker.Receiving;
using Dledger.Broker.Streaming;
using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// What consumers were given in deliveries of many messages and settled by spans, beside what the log says of it (I78).
/// </summary>
/// <remarks>
/// The log holds what each settlement came to: no message may be in it that its consumer did not name, and all that was confirmed must be.
/// A Lease record is a wish, so what was given counts only when a client was given it.
/// </remarks>
internal sealed class SpanHistory(SimulatedCluster cluster, BatchHistory batches, bool isOrdered)
{
    public const string Topic = "streamed";
    public const string Group = "streamed";

    private readonly Dictionary<long, LeasedSpan> _leases = [];
    private readonly HashSet<(bool IsAck, DeliveryReference Delivery)> _asked = [];
    private readonly HashSet<(bool IsAck, DeliveryReference Delivery)> _done = [];
    private readonly Dictionary<DeliveryReference, DeliveryEnd> _ends = [];
    private readonly Dictionary<(int QueueId, long Offset), MessageProgress> _progress = [];
    private readonly Dictionary<int, long> _firstOpen = [];

    /// <summary>A record is committed.</summary>
    public void Observe(in RecordView record, LogPosition position, long logTime)
    {
        switch (record.Kind)
        {
            case RecordKind.Lease:
                var lease = LeaseCommand.Decode(record.Body);
                if (IsOurs(lease.TopicId))
                {
                    _leases.Add(position.Value, new LeasedSpan(
                        position.Value, logTime, logTime + lease.InvisibleMicroseconds, lease.ClientHash, OffsetsOf(lease)));
                }

                break;
            case RecordKind.Ack:
                var ack = AckCommand.Decode(record.Body);
                foreach (var delivery in IsOurs(ack.TopicId) ? ack.Deliveries : [])
                {
                    Done(isAck: true, delivery);
                    var end = EndOf(delivery);
                    _ends[delivery] = end with { Position = Math.Min(position.Value, end.Position) };
                }

                break;
            case RecordKind.ChangeInvisible:
                var change = ChangeInvisibleCommand.Decode(record.Body);
                if (change.Change is { } changed && IsOurs(change.TopicId))
                {
                    // The leader takes back by itself what it could not hand out.
                    if (!change.Suspend)
                    {
                        Done(isAck: false, changed);
                    }

                    Moved(changed, position.Value, logTime, change.InvisibleMicroseconds);
                }

                break;
            default:
                break;
        }
    }

    /// <summary>A delivery came to a client by a call that began at some moment.</summary>
    /// <param name="client">Who called.</param>
    /// <param name="deliveryId">Names it.</param>
    /// <param name="slice">Its records, one after the other, and what they are.</param>
    /// <param name="begun">When the call began.</param>
    public void Delivered(string client, long deliveryId, RecordSlice slice, long begun)
    {
        cluster.Checks.Check("I7", _leases.ContainsKey(deliveryId), $"delivery {deliveryId} comes from no committed lease");
        var lease = _leases[deliveryId];
        cluster.Checks.Check(
            "I7", lease.ClientHash == IdentityHash.OfClient(client), $"{client} is given delivery {deliveryId} of another client");
        if (isOrdered)
        {
            CheckOrder(slice.Places);
        }

        var rest = RecordCheck.Unfold(cluster, "I7", slice);
        foreach (var place in slice.Places)
        {
            RecordCheck.Take(cluster, "I7", batches.TopicId, place, ref rest);
            var delivery = new DeliveryReference(place.QueueId, place.Offset.Value, deliveryId);
            cluster.Checks.Check(
                "I7",
                lease.Offsets.Contains((place.QueueId, place.Offset.Value)),
                $"{place} comes by the lease at {deliveryId}, which does not name it");
            Delivered(delivery, place.Attempt, lease, begun);
        }

        cluster.Checks.Check("I7", rest.IsEmpty, $"{rest.Length} bytes follow the records of delivery {deliveryId}");
    }

    /// <summary>A client settles messages; from now on they may be.</summary>
    public void SettleInvoked(Settlement settlement, long deliveryId, IReadOnlyList<MessageRange> ranges)
    {
        foreach (var delivery in Deliveries(deliveryId, ranges))
        {
            _asked.Add((settlement == Settlement.Ack, delivery));
            if (settlement == Settlement.Ack)
            {
                Of(delivery).IsAckInvoked = true;
            }
        }
    }

    /// <summary>A client was told that all are settled.</summary>
    public void Settled(Settlement settlement, long deliveryId, IReadOnlyList<MessageRange> ranges)
    {
        cluster.Marks.Reach(settlement switch
        {
            Settlement.Ack => "span acknowledged",
            Settlement.Retry => "span given back",
            _ => "span renewed",
        });
        foreach (var delivery in Deliveries(deliveryId, ranges))
        {
            cluster.Checks.Check(
                "I78",
                _done.Contains((settlement == Settlement.Ack, delivery)),
                $"{settlement} of {delivery} is confirmed, but it is not in the log");
            if (settlement == Settlement.Ack)
            {
                Of(delivery).AckedAt = Math.Min(Of(delivery).AckedAt, cluster.Events.Now);
            }
        }
    }

    /// <summary>Messages that nobody acknowledged, and what the group has not finished, of which the caller knows; null: none.</summary>
    public string? DescribeOpen(long lag)
    {
        var open = batches.Stored.Where(message => !cluster.Oracle.IsGone(message)
            && _progress.GetValueOrDefault((message.QueueId, message.Offset)) is not { IsAckInvoked: true }).ToList();
        return lag == 0 && open.Count == 0
            ? null
            : $"{lag} messages of the stream are not finished, {open.Count} nobody acknowledged, for example {open.FirstOrDefault()?.Id};";
    }

    private static HashSet<(int QueueId, long Offset)> OffsetsOf(LeaseCommand lease) =>
        [.. lease.Queues.SelectMany(queue => OffsetRange.Enumerate(queue.Leased).Select(offset => (queue.QueueId, offset)))];

    private static IEnumerable<DeliveryReference> Deliveries(long deliveryId, IReadOnlyList<MessageRange> ranges) =>
        ranges.SelectMany(range => Enumerable.Range(0, range.Count)
            .Select(i => new DeliveryReference(range.QueueId, range.First + i, deliveryId)));

    private bool IsOurs(int topicId) => topicId != 0 && topicId == batches.TopicId;

    private MessageProgress Of(in DeliveryReference delivery)
    {
        var place = (delivery.QueueId, delivery.Offset);
        if (!_progress.TryGetValue(place, out var progress))
        {
            _progress.Add(place, progress = new MessageProgress());
        }

        return progress;
    }

    private void Done(bool isAck, in DeliveryReference delivery)
    {
        cluster.Checks.Check(
            "I78",
            _asked.Contains((isAck, delivery)),
            $"{delivery} is {(isAck ? "acknowledged" : "given back or renewed")} in the log, but no client did that");
        _done.Add((isAck, delivery));
    }

    // Of a delivery that was over by then nobody knows here whether the change found it alive.
    private void Moved(in DeliveryReference delivery, long position, long logTime, long microseconds)
    {
        var end = EndOf(delivery);
        _ends[delivery] = end.Position < position || end.Deadline <= logTime
            ? end with { Position = Math.Min(end.Position, position) }
            : end with { Deadline = logTime + microseconds };
    }

    private DeliveryEnd EndOf(in DeliveryReference delivery) => _ends.TryGetValue(delivery, out var end) ? end
        : _leases.TryGetValue(delivery.DeliveryId, out var lease) ? new DeliveryEnd(long.MaxValue, lease.Deadline)
        : new DeliveryEnd(0, 0);

    private bool IsOpenAt(in DeliveryReference delivery, in LeasedSpan later)
    {
        var end = EndOf(delivery);
        return end.Position > later.Position && end.Deadline > later.LogTime;
    }

    private void Delivered(in DeliveryReference delivery, int attempt, in LeasedSpan lease, long begun)
    {
        var progress = Of(delivery);
        var isLate = attempt < progress.Attempt && begun < progress.DeliveredAt;
        cluster.Checks.Check(
            "I44", isLate || attempt > progress.Attempt, $"{delivery} is attempt {attempt} after attempt {progress.Attempt}");
        cluster.Checks.Check(
            "I78",
            progress.AckedAt >= begun,
            $"{delivery} was acknowledged at {progress.AckedAt} and is delivered by a call that began at {begun}");
        foreach (var other in progress.Deliveries)
        {
            var first = _leases[other.DeliveryId];
            var isShared = first.Position < lease.Position ? IsOpenAt(other, lease) : IsOpenAt(delivery, first);
            cluster.Checks.Check(
                "I78",
                other != delivery && !isShared,
                $"{delivery} is under way together with delivery {other.DeliveryId}, which ends at {EndOf(other)}");
        }

        progress.Deliveries.Add(delivery);
        if (attempt > 1)
        {
            cluster.Marks.Reach("message of a span delivered again");
        }

        if (!isLate)
        {
            (progress.Attempt, progress.DeliveredAt) = (attempt, cluster.Events.Now);
        }
    }

    // Everything before what is given now must be done with, as far as anybody can know; inside of a delivery its consumer sees to it.
    private void CheckOrder(IReadOnlyList<RecordPlace> places)
    {
        foreach (var queue in places.GroupBy(place => place.QueueId, place => place.Offset.Value))
        {
            var first = _firstOpen.GetValueOrDefault(queue.Key);
            while (first < queue.First()
                && (_progress.GetValueOrDefault((queue.Key, first)) is { IsAckInvoked: true }
                    || cluster.Oracle.FindIn(batches.TopicId, queue.Key, first) is not { } stored
                    || cluster.Oracle.IsGone(stored)))
            {
                first++;
            }

            _firstOpen[queue.Key] = first;
            cluster.Checks.Check(
                "I44",
                first >= queue.First() && queue.Zip(queue.Skip(1)).All(pair => pair.First < pair.Second),
                $"an ordered group is given {string.Join(", ", queue)} of queue {queue.Key} while offset {first} is not finished");
        }
    }

    /// <summary>A Lease record of the log.</summary>
    private readonly record struct LeasedSpan(
        long Position, long LogTime, long Deadline, long ClientHash, HashSet<(int QueueId, long Offset)> Offsets);

    /// <summary>Where in the log a delivery was ended, and the log time at which it ends by itself.</summary>
    private readonly record struct DeliveryEnd(long Position, long Deadline);

    private sealed class MessageProgress
    {
        public int Attempt { get; set; }

        public long DeliveredAt { get; set; }

        public long AckedAt { get; set; } = long.MaxValue;

        public bool IsAckInvoked { get; set; }

        public List<DeliveryReference> Deliveries { get; } = [];
    }
}
