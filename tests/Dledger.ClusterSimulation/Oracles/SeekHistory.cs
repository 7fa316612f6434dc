using Dledger.Broker.Commands;
using Dledger.Broker.Messages;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// A group that an operator moves about: what the log says about its place, what its consumers were given and answered. Receipt
/// handles name the record of their delivery, so it is known which deliveries a seek made void.
/// </summary>
internal sealed class SeekHistory(SimulatedCluster cluster)
{
    public const string Group = "sought";

    private readonly Dictionary<int, List<Move>> _moves = [];
    private readonly Dictionary<(int Queue, long Offset), Progress> _progress = [];
    private int _invoked;
    private int _ended;

    /// <summary>A record of the log takes the group elsewhere.</summary>
    public void Moved(LogPosition position, IReadOnlyList<QueueTarget> targets, bool isSeek)
    {
        cluster.Marks.Reach(isSeek ? "group moved by a seek" : "offset of a group committed");
        foreach (var (queue, offset) in targets)
        {
            if (!_moves.TryGetValue(queue, out var moves))
            {
                _moves.Add(queue, moves = []);
            }

            moves.Add(new Move(position.Value, offset, isSeek, cluster.Events.Now, _ended));
        }
    }

    public void ReceiveInvoked() => _invoked++;

    public void ReceiveEnded() => _ended++;

    /// <summary>Messages came.</summary>
    public void Delivered(DeliveredMessage message)
    {
        var stored = cluster.Oracle.FindAt(message.Position);
        cluster.Checks.Check(
            "I7",
            stored is not null && stored.Id == message.MessageId && stored.QueueId == message.QueueId
                && stored.Offset == message.QueueOffset.Value && stored.Body.AsSpan().SequenceEqual(message.Body.Span),
            $"{Group} is given {message.MessageId} at {message.QueueId}/{message.QueueOffset}");
        var (queue, offset, delivery) = (message.QueueId, message.QueueOffset.Value, DeliveryOf(message));
        var seek = LastSeek(queue, offset, delivery);
        var progress = Of(queue, offset);
        var isSameLife = progress.Delivery > 0 && LastSeek(queue, offset, progress.Delivery) == seek;
        cluster.Checks.Check(
            "I44",
            !isSameLife || message.Attempt > progress.Attempt == delivery > progress.Delivery,
            $"{Group} is given {queue}/{offset} in attempt {message.Attempt} by delivery {delivery}, "
                + $"it had attempt {progress.Attempt} by {progress.Delivery}");
        cluster.Checks.Check(
            "I44",
            message.Attempt <= 1 + _invoked - (seek?.EndedBefore ?? 0),
            $"{Group} is given {queue}/{offset} in attempt {message.Attempt}, "
                + $"{_invoked - (seek?.EndedBefore ?? 0)} receives were under way since its seek");
        if (delivery > progress.Delivery)
        {
            (progress.Delivery, progress.Attempt) = (delivery, message.Attempt);
        }
    }

    /// <summary>An ack is sent; from now on its message may be finished.</summary>
    public void AckInvoked(DeliveredMessage message)
    {
        var progress = Of(message.QueueId, message.QueueOffset.Value);
        progress.Invoked = Math.Max(progress.Invoked, DeliveryOf(message));
    }

    /// <summary>An ack succeeded, or nobody knows.</summary>
    public void AckEnded(DeliveredMessage message, long begun, bool isKnown)
    {
        var (queue, offset, delivery) = (message.QueueId, message.QueueOffset.Value, DeliveryOf(message));
        var progress = Of(queue, offset);
        if (isKnown && _moves.TryGetValue(queue, out var moves) && moves[^1] is { IsSeek: true } last
            && last.Target <= offset && last.Position > delivery && last.AppliedAt < begun)
        {
            cluster.Marks.Reach("ack by a handle from before a seek");
            cluster.Checks.Check(
                "I45",
                progress.Invoked > last.Position || cluster.Oracle.IsGone(queue, offset),
                $"{Group}: the ack of {queue}/{offset} by delivery {delivery} had effect after the seek at {last.Position}");
        }

        progress.Acked = Math.Max(progress.Acked, delivery);
    }

    /// <summary>An ack was refused because its handle is stale.</summary>
    public void AckStale(DeliveredMessage message)
    {
        if (_moves.TryGetValue(message.QueueId, out var moves) && moves.Any(move => move.IsSeek && move.Position > DeliveryOf(message)))
        {
            cluster.Marks.Reach("ack refused after a seek");
        }
    }

    /// <summary>Messages that the group has to finish after its last move and has not; null for none.</summary>
    public string? DescribeOpen()
    {
        var open = cluster.Oracle.Queues
            .Where(queue => queue.Key.Topic == cluster.Producing.TopicId)
            .SelectMany(queue => queue.Messages)
            .Where(message => !cluster.Oracle.IsGone(message) && IsOpen(message))
            .ToList();
        return open.Count == 0
            ? null
            : $"{Group}: {open.Count}, for example {open[0].Id} ({open[0].QueueId}/{open[0].Offset})";
    }

    private bool IsOpen(StoredMessage message)
    {
        var (isWanted, after) = (true, 0L);
        foreach (var move in _moves.GetValueOrDefault(message.QueueId) ?? [])
        {
            if (message.Offset < move.Target)
            {
                isWanted = false;
            }
            else if (move.IsSeek)
            {
                (isWanted, after) = (true, move.Position);
            }
        }

        return isWanted && (!_progress.TryGetValue((message.QueueId, message.Offset), out var progress)
            || progress.Acked <= after);
    }

    private Move? LastSeek(int queue, long offset, long before) =>
        _moves.GetValueOrDefault(queue)?.LastOrDefault(
            move => move.IsSeek && move.Position < before && move.Target <= offset);

    private long DeliveryOf(DeliveredMessage message)
    {
        cluster.Checks.Check(
            "I7", cluster.Receipts.TryDecode(message.ReceiptHandle, out var receipt), $"{message.ReceiptHandle} is no receipt handle");
        return receipt.Delivery.DeliveryId;
    }

    private Progress Of(int queue, long offset)
    {
        if (!_progress.TryGetValue((queue, offset), out var progress))
        {
            _progress.Add((queue, offset), progress = new Progress());
        }

        return progress;
    }

    private sealed record Move(long Position, long Target, bool IsSeek, long AppliedAt, int EndedBefore);

    private sealed class Progress
    {
        /// <summary>The newest delivery, and its attempt.</summary>
        public long Delivery { get; set; }

        public int Attempt { get; set; }

        /// <summary>The newest delivery that somebody tried to ack.</summary>
        public long Invoked { get; set; }

        /// <summary>The newest delivery whose ack succeeded or may have.</summary>
        public long Acked { get; set; }
    }
}
