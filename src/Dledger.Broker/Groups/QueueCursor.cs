using Dledger.Broker.Deduplication;
using Dledger.Broker.Messages;
using Dledger.Primitives;

namespace Dledger.Broker.Groups;

/// <summary>A group's progress in one queue. Replicated state, owned by the apply loop.</summary>
/// <remarks>
/// In an ordered group every known message belongs to the <see cref="OrderLane"/> of its message group, and only a lane's head may be
/// handed out, or what follows it in the same lease; messages without message group make one lane. Lanes do not wait for each other.
/// </remarks>
internal sealed class QueueCursor
{
    /// <summary>
    /// Most offsets from Commit on that can become known. The leader stays below it; a Lease record that was on its way when the group
    /// was moved far back would not.
    /// </summary>
    public const int LengthMax = 65_536;

    private readonly SortedSet<long> _ready = [];
    private readonly SortedDictionary<long, long> _parkedSince = [];
    private readonly Dictionary<int, OrderLane>? _lanes;
    private readonly long[] _counts = new long[6];
    private DeliveryStore _deliveries;

    public QueueCursor(Subscription subscription, int queueId, long commit)
    {
        Subscription = subscription;
        QueueId = queueId;
        _deliveries = new DeliveryStore(commit);
        _lanes = subscription.Group.View.Fifo ? [] : null;
    }

    public Subscription Subscription { get; }

    public int QueueId { get; }

    /// <inheritdoc cref="DeliveryStore.Commit"/>
    public long Commit => _deliveries.Commit;

    /// <inheritdoc cref="DeliveryStore.Next"/>
    public long Next => _deliveries.Next;

    /// <summary>Whether the messages of one message group are handed out in order.</summary>
    public bool IsOrdered => _lanes is not null;

    /// <summary>
    /// Known offsets that may be handed out next, ascending: all that wait, in an ordered group the heads of the lanes that do.
    /// </summary>
    public SortedSet<long> Ready => _ready;

    /// <summary>Known messages that wait for a delivery.</summary>
    public int WaitingCount => CountOf(DeliveryState.Waiting);

    /// <summary>Deliveries that are invisible.</summary>
    public int LeasedCount => CountOf(DeliveryState.Leased);

    /// <summary>Deliveries that wait for their copy in the dead letter topic.</summary>
    public int ObligedCount => CountOf(DeliveryState.Obliged);

    /// <summary>Deliveries that wait for the end of their back-off.</summary>
    public int RestingCount => CountOf(DeliveryState.Resting);

    /// <summary>Finished messages above Commit.</summary>
    public int DoneCount => _deliveries.DoneCount;

    /// <summary>Unfinished messages below Commit.</summary>
    public int AsideCount => _deliveries.AsideCount;

    /// <summary>Messages that the group has not finished, those in flight included.</summary>
    public long Lag => Subscription.Topic.Queues[QueueId].Max - Commit - DoneCount + AsideCount;

    /// <summary>Offsets below Commit that are not finished, ascending.</summary>
    public long[] Aside => _deliveries.Aside;

    /// <summary>Messages that wait for an operator, by offset, and since which log time.</summary>
    public SortedDictionary<long, long> ParkedSince => _parkedSince;

    /// <summary>Whether a delivery is kept for the offset; all others below Next are finished.</summary>
    public bool Contains(long offset) => _deliveries.Contains(offset);

    /// <summary>The delivery of an offset that <see cref="Contains"/> is true for.</summary>
    public ref readonly Delivery At(long offset) => ref _deliveries.At(offset);

    /// <summary>Whether an offset of the queue waits for a delivery.</summary>
    public bool IsAvailable(long offset) =>
        offset >= Next
            ? offset - Commit < LengthMax
            : Contains(offset) && _deliveries.At(offset).State == DeliveryState.Waiting;

    /// <summary>The lane of a message group with what is not finished of it; null when nothing is known or this group has no order.</summary>
    public OrderLane? LaneOf(int groupHash) => _lanes?.GetValueOrDefault(groupHash);

    /// <summary>
    /// Whether nothing of the message group that is not finished lies before a known offset, but for what the same lease took.
    /// </summary>
    public bool IsNext(long offset, Lease lease)
    {
        if (_lanes is null || !_lanes.TryGetValue(_deliveries.At(offset).GroupHash, out var lane))
        {
            return true;
        }

        var leasedBefore = 0;
        foreach (var before in lane.Offsets)
        {
            if (before >= offset)
            {
                break;
            }

            if (_deliveries.Contains(before)
                && _deliveries.At(before) is var delivery
                && delivery.State != DeliveryState.Done)
            {
                if (!ReferenceEquals(delivery.Lease, lease))
                {
                    return false;
                }

                leasedBefore++;
            }
        }

        // A replayed message comes before what somebody is working on, and waits for the end of that.
        return _deliveries.At(offset).DeliveryId != 0 || lane.LeasedCount <= leasedBefore;
    }

    /// <summary>Takes up offsets behind Next, in order, with their message groups.</summary>
    public void Extend(int groupHash)
    {
        var offset = Next;
        ref var delivery = ref _deliveries.Extend();
        delivery.GroupHash = groupHash;
        _counts[(int)DeliveryState.Waiting]++;
        if (_lanes is null)
        {
            _ready.Add(offset);
            return;
        }

        JoinLane(groupHash, offset);
        Settle(groupHash);
    }

    /// <summary>Hands an available offset out; the answer is the number of this attempt, from 1 on.</summary>
    public int Take(long offset, Lease lease, bool countsAttempt = true)
    {
        MakeKnown(offset);
        ref var delivery = ref Change(offset, DeliveryState.Waiting, DeliveryState.Leased);
        delivery.Attempts = (ushort)Math.Min(delivery.Attempts + (countsAttempt ? 1 : 0), ushort.MaxValue);
        delivery.DeliveryId = lease.DeliveryId;
        delivery.Lease = lease;
        var attempt = delivery.Attempts;
        Settle(offset, delivery.GroupHash);
        return attempt;
    }

    /// <summary>Finishes an available offset without delivery.</summary>
    public void Skip(long offset)
    {
        MakeKnown(offset);
        Finish(offset);
    }

    /// <summary>Puts a leased offset under another deadline.</summary>
    public void Rebind(long offset, Lease lease)
    {
        ref var delivery = ref _deliveries.At(offset);
        Invariant.Check(
            delivery.State is DeliveryState.Leased or DeliveryState.Resting, $"offset {offset} is {delivery.State}");
        delivery.Lease = lease;
    }

    /// <summary>Finishes an offset that is not finished.</summary>
    public void Finish(long offset)
    {
        var state = _deliveries.At(offset).State;
        ref var delivery = ref Change(offset, state, DeliveryState.Done);
        var groupHash = delivery.GroupHash;
        delivery.Lease = null;
        var asideBefore = _deliveries.AsideCount;
        _deliveries.Finished(offset);
        Subscription.AsideCount += _deliveries.AsideCount - asideBefore;
        Settle(offset, groupHash);
    }

    /// <summary>Makes a leased or resting offset visible again.</summary>
    public void Release(long offset, bool forgetAttempt)
    {
        ref var delivery = ref Change(offset, _deliveries.At(offset).State, DeliveryState.Waiting);
        delivery.Lease = null;
        if (forgetAttempt && delivery.Attempts > 0)
        {
            delivery.Attempts--;
        }

        Settle(offset, delivery.GroupHash);
    }

    /// <summary>Lets a leased offset wait for the end of its back-off.</summary>
    public void Rest(long offset, Lease until)
    {
        ref var delivery = ref Change(offset, DeliveryState.Leased, DeliveryState.Resting);
        delivery.Lease = until;
        Settle(offset, delivery.GroupHash);
    }

    /// <summary>Marks a leased or parked offset as owed to the dead letter topic.</summary>
    public void Oblige(long offset, DeadLetterReason reason)
    {
        ref var delivery = ref Change(offset, _deliveries.At(offset).State, DeliveryState.Obliged);
        delivery.Reason = reason;
        delivery.Lease = null;
        Settle(offset, delivery.GroupHash);
    }

    /// <summary>Sets a leased offset aside until an operator decides.</summary>
    public void Park(long offset, long logTime)
    {
        ref var delivery = ref Change(offset, DeliveryState.Leased, DeliveryState.Parked);
        delivery.Lease = null;
        _parkedSince.Add(offset, logTime);
        Settle(offset, delivery.GroupHash);
    }

    /// <summary>Gives a parked offset back to its receivers as if it had never been delivered.</summary>
    public void Unpark(long offset)
    {
        ref var delivery = ref Change(offset, DeliveryState.Parked, DeliveryState.Waiting);
        delivery.Attempts = 0;
        Settle(offset, delivery.GroupHash);
    }

    /// <summary>
    /// Lets a finished message below Next wait again, as if it had never been delivered; Commit stays where it is. In an ordered group it
    /// takes its place in its message group.
    /// </summary>
    public void Replay(long offset, int groupHash)
    {
        Invariant.Check(IsFinished(offset), $"offset {offset} is finished in [0, {Next})");
        var asideBefore = _deliveries.AsideCount;
        ref var delivery = ref _deliveries.Reopen(offset);
        delivery.GroupHash = groupHash;
        Subscription.AsideCount += _deliveries.AsideCount - asideBefore;
        _counts[(int)DeliveryState.Waiting]++;
        if (_lanes is null)
        {
            _ready.Add(offset);
            return;
        }

        LaneFor(groupHash).Insert(offset);
        Settle(groupHash);
    }

    /// <summary>Whether a message that was looked at is finished, in order or ahead of others.</summary>
    public bool IsFinished(long offset) =>
        offset < Next && (!Contains(offset) || _deliveries.At(offset).State == DeliveryState.Done);

    /// <summary>Moves Commit up; what is not finished below it stays aside, so that it does not hold up the rest.</summary>
    public void PutAside(long below) => Subscription.AsideCount += _deliveries.PutAside(below);

    /// <summary>Offsets below a limit that are known and not finished, ascending.</summary>
    public List<long> UnfinishedBelow(long limit) => _deliveries.UnfinishedBelow(limit);

    /// <summary>Goes on behind messages that were never looked at and are gone.</summary>
    public void AdvanceTo(long offset) => _deliveries.AdvanceTo(offset);

    /// <summary>Begins anew at an offset: nothing from there on was ever handed out. Leases are taken off before.</summary>
    public void Reset(long offset)
    {
        Subscription.AsideCount -= _deliveries.AsideCount;
        Subscription.Group.Processed.FreeAll(place => place.TopicId == Subscription.Topic.Id && place.QueueId == QueueId);
        _deliveries = new DeliveryStore(offset);
        _ready.Clear();
        _parkedSince.Clear();
        _lanes?.Clear();
        Array.Clear(_counts);
    }

    /// <summary>
    /// Rebuilds one delivery of a checkpoint: the aside ones ascending, then the window's ascending. Leases are bound afterwards.
    /// </summary>
    public void Restore(long offset, in Delivery stored, long parkedSince)
    {
        Invariant.Check((int)stored.State < _counts.Length, $"a stored delivery has state {stored.State}");
        if (offset < Commit)
        {
            _deliveries.RestoreAside(offset, stored);
            Subscription.AsideCount++;
        }
        else
        {
            Invariant.Check(offset == Next, $"stored delivery {offset} follows {Next}");
            _deliveries.Extend() = stored;
        }

        _counts[(int)stored.State]++;
        switch (stored.State)
        {
            case DeliveryState.Done:
                _deliveries.Finished(offset);
                return;
            case DeliveryState.Parked:
                _parkedSince.Add(offset, parkedSince);
                break;
        }

        if (_lanes is not null)
        {
            JoinLane(stored.GroupHash, offset);
            CountLeased(stored.GroupHash, stored.State == DeliveryState.Leased ? 1 : 0);
            Settle(stored.GroupHash);
        }
        else if (stored.State == DeliveryState.Waiting)
        {
            _ready.Add(offset);
        }
    }

    /// <summary>Where a message of the queue stands.</summary>
    public DedupPlace PlaceOf(long offset) => new(Subscription.Topic.Id, QueueId, offset);

    private int CountOf(DeliveryState state) => (int)_counts[(int)state];

    private ref Delivery Change(long offset, DeliveryState from, DeliveryState to)
    {
        ref var delivery = ref _deliveries.At(offset);
        Invariant.Check(
            delivery.State == from && from != DeliveryState.Done, $"offset {offset} is {delivery.State}, not {from}");
        delivery.State = to;
        _counts[(int)from]--;
        _counts[(int)to]++;
        if (from == DeliveryState.Parked)
        {
            _parkedSince.Remove(offset);
        }

        if (from == DeliveryState.Leased)
        {
            Subscription.Group.Processed.Free(PlaceOf(offset));
        }

        if (_lanes is null && from == DeliveryState.Waiting)
        {
            _ready.Remove(offset);
        }

        CountLeased(delivery.GroupHash, (to == DeliveryState.Leased ? 1 : 0) - (from == DeliveryState.Leased ? 1 : 0));

        return ref delivery;
    }

    private void MakeKnown(long offset)
    {
        Invariant.Check(IsAvailable(offset), $"offset {offset} is available in [{Commit}, {Next})");
        Invariant.Check(offset < Next || _lanes is null, $"the message group of offset {offset} is known");

        // What a record leaves out on its way up has not been delivered and can be.
        while (Next <= offset)
        {
            Extend(0);
        }
    }

    private void JoinLane(int groupHash, long offset) => LaneFor(groupHash).Add(offset);

    private OrderLane LaneFor(int groupHash)
    {
        if (!_lanes!.TryGetValue(groupHash, out var lane))
        {
            _lanes.Add(groupHash, lane = new OrderLane(Subscription.Defect));
        }

        return lane;
    }

    private void CountLeased(int groupHash, int change)
    {
        if (change != 0 && _lanes is not null && _lanes.TryGetValue(groupHash, out var lane))
        {
            lane.LeasedCount += change;
        }
    }

    private void Settle(long offset, int groupHash)
    {
        if (_lanes is not null)
        {
            Settle(groupHash);
        }
        else if (Contains(offset) && _deliveries.At(offset).State == DeliveryState.Waiting)
        {
            _ready.Add(offset);
        }
    }

    private void Settle(int groupHash)
    {
        if (!_lanes!.TryGetValue(groupHash, out var lane))
        {
            Invariant.Check(Subscription.Defect != SeededDefect.None, $"message group {groupHash} has a lane");
            return;
        }

        lane.Trim(_deliveries);
        var ready = lane.Head >= 0 && IsReady(lane) ? lane.Head : -1;
        if (ready != lane.ReadyHead)
        {
            _ready.Remove(lane.ReadyHead);
            if (ready >= 0)
            {
                _ready.Add(ready);
            }

            lane.ReadyHead = ready;
        }

        if (lane.Head < 0)
        {
            _lanes.Remove(groupHash);
        }
    }

    // What was never handed out and has something behind it in hand was replayed: it waits for the end of that.
    private bool IsReady(OrderLane lane)
    {
        ref readonly var head = ref _deliveries.At(lane.Head);
        return head.State == DeliveryState.Waiting && (head.DeliveryId != 0 || lane.LeasedCount <= 0);
    }
}
