using Dledger.Broker.Commands;
using Dledger.Broker.DeadLetters;
using Dledger.Broker.Messages;
using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// What the committed log says about the deliveries of one topic, to one group: which Lease record made them, and what ended them first.
/// </summary>
/// <remarks>
/// A Lease record is a wish, and apply may grant less of it; so what clients were given is matched with the record that the receipt names.
/// </remarks>
internal sealed class LeaseLedger(SimulatedCluster cluster)
{
    private readonly Dictionary<long, LedgerLease> _leases = [];
    private readonly Dictionary<DeliveryReference, long> _ends = [];
    private readonly Dictionary<(int QueueId, long Offset), int> _leasedCounts = [];
    private readonly Dictionary<(int QueueId, long Offset), long> _forwarded = [];
    private readonly Dictionary<int, long> _leasedBelow = [];

    /// <summary>The topic; 0 until a message of it is in the log.</summary>
    public int TopicId { get; set; }

    /// <summary>Told of deliveries that an Ack record finishes, with the frame's log time.</summary>
    public Action<DeliveryReference, long>? Acked { get; init; }

    /// <summary>Told of deliveries that a FinishUnseen record finishes, with the frame's log time.</summary>
    public Action<DeliveryReference, long>? FinishedUnseen { get; init; }

    /// <summary>Told of messages that a Forward record moves to the dead letters, with the frame's log time.</summary>
    public Action<DeliveryReference, long>? Forwarded { get; init; }

    /// <summary>The same for messages that a Lease record finishes without delivery because of a filter.</summary>
    public Action<int, long>? Skipped { get; init; }

    /// <summary>A record is committed.</summary>
    public void Observe(in RecordView record, LogPosition position, long logTime)
    {
        switch (record.Kind)
        {
            case RecordKind.Lease:
                Leased(LeaseCommand.Decode(record.Body), position.Value, logTime);
                break;
            case RecordKind.Ack:
                var ack = AckCommand.Decode(record.Body);
                End(ack.TopicId, ack.Deliveries, position, logTime, Acked);
                break;
            case RecordKind.FinishUnseen:
                var unseen = FinishUnseenCommand.Decode(record.Body);
                End(unseen.TopicId, unseen.Deliveries, position, logTime, FinishedUnseen);
                break;
            case RecordKind.ChangeInvisible:
                var change = ChangeInvisibleCommand.Decode(record.Body);
                if (change.Change is { } changed && change.TopicId == TopicId)
                {
                    _ends.TryAdd(changed, position.Value);
                }

                break;
            case RecordKind.Forward:
                var reference = DeadLetterEncoder.ReadReference(record);
                if (reference.TopicId == TopicId)
                {
                    _ends.TryAdd(reference.Delivery, position.Value);
                    _forwarded.TryAdd((reference.Delivery.QueueId, reference.Delivery.Offset), position.Value);
                    Forwarded?.Invoke(reference.Delivery, logTime);
                }

                break;
            default:
                break;
        }
    }

    /// <summary>The delivery that a receipt stands for, and the lease that made it.</summary>
    public (DeliveryReference Delivery, LedgerLease Lease) Of(DeliveredMessage message)
    {
        var isOurs = cluster.Receipts.TryDecode(message.ReceiptHandle, out var receipt);
        cluster.Checks.Check(
            "I7",
            isOurs && _leases.ContainsKey(receipt.Delivery.DeliveryId),
            $"{message.MessageId} is delivered by the record at {receipt.Delivery.DeliveryId}, which is no committed lease");
        return (receipt.Delivery, _leases[receipt.Delivery.DeliveryId]);
    }

    /// <summary>Whether a delivery was under way, as far as the log says, when another Lease record was applied.</summary>
    public bool IsOpenAt(in DeliveryReference delivery, in LedgerLease later) =>
        (!_ends.TryGetValue(delivery, out var end) || end > later.Position)
        && _leases[delivery.DeliveryId].Deadline > later.LogTime;

    /// <summary>Log time at which a delivery ends by itself.</summary>
    public long DeadlineOf(in DeliveryReference delivery) => _leases[delivery.DeliveryId].Deadline;

    /// <summary>How many Lease records name a message: it has had at most so many attempts.</summary>
    public int LeasedCount(int queueId, long offset) => _leasedCounts.GetValueOrDefault((queueId, offset));

    /// <summary>Whether a message was moved to the dead letters before a position.</summary>
    public bool IsForwardedBefore(int queueId, long offset, long position) =>
        _forwarded.TryGetValue((queueId, offset), out var at) && at < position;

    /// <summary>No Lease record names an offset of the queue from here on.</summary>
    public long LeasedBelow(int queueId) => _leasedBelow.GetValueOrDefault(queueId);

    private void End(
        int topicId,
        IReadOnlyList<DeliveryReference> deliveries,
        LogPosition position,
        long logTime,
        Action<DeliveryReference, long>? tell)
    {
        foreach (var delivery in topicId == TopicId ? deliveries : [])
        {
            _ends.TryAdd(delivery, position.Value);
            tell?.Invoke(delivery, logTime);
        }
    }

    private void Leased(LeaseCommand command, long position, long logTime)
    {
        if (command.TopicId != TopicId)
        {
            return;
        }

        _leases.Add(position, new LedgerLease(position, logTime, logTime + command.InvisibleMicroseconds, command.ClientHash));
        foreach (var queue in command.Queues)
        {
            foreach (var offset in OffsetRange.Enumerate(queue.Leased))
            {
                _leasedCounts[(queue.QueueId, offset)] = LeasedCount(queue.QueueId, offset) + 1;
                _leasedBelow[queue.QueueId] = Math.Max(LeasedBelow(queue.QueueId), offset + 1);
            }

            foreach (var offset in OffsetRange.Enumerate(queue.Skipped))
            {
                Skipped?.Invoke(queue.QueueId, offset);
            }
        }
    }
}

/// <summary>A Lease record of the log.</summary>
/// <param name="Position">Where it lies; part of its receipts.</param>
/// <param name="LogTime">Of its frame.</param>
/// <param name="Deadline">Log time at which it ends by itself.</param>
/// <param name="ClientHash">Who was given the messages.</param>
internal readonly record struct LedgerLease(long Position, long LogTime, long Deadline, long ClientHash);
