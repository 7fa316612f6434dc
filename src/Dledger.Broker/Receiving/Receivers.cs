using System.Runtime.CompilerServices;
using Dledger.Broker.Deduplication;
using Dledger.Broker.Filtering;

namespace Dledger.Broker.Receiving;

/// <summary>
/// The receives of one group on one topic: who waits, and what is promised. Volatile, owned by the apply loop.
/// </summary>
internal sealed class Receivers(int groupId, int topicId, StrongBox<int> parkedCount)
{
    private const int SweepAtMin = 32;

    private readonly List<QueueReservation> _reservations = [];
    private readonly LinkedList<ReceiveOperation> _parked = new();
    private int _sweepAt = SweepAtMin;

    public int GroupId { get; } = groupId;

    /// <summary>What receives left alone because another client of the group may want it.</summary>
    public LeftOffsetsTable Left { get; } = new();

    public int TopicId { get; } = topicId;

    /// <summary>What waits because another message of its key is leased.</summary>
    public HeldBack Held { get; } = new();

    /// <summary>Whether it stands on the list of those to look at when the frame is through.</summary>
    public bool IsDirty { get; set; }

    /// <summary>A receive of it waits because too many messages of the group are in flight.</summary>
    public bool IsHeldBack { get; set; }

    /// <summary>A receive of it waits because a quota is used up.</summary>
    public bool IsOverQuota { get; set; }

    /// <summary>The record that makes the group start at the end of the topic is on its way.</summary>
    public bool IsSubscribing { get; set; }

    /// <summary>Where the next choice begins, so that no queue is preferred.</summary>
    public int NextQueue { get; set; }

    /// <summary>First come, first served; null when nobody waits. Finished ones are dropped on the way.</summary>
    public LinkedListNode<ReceiveOperation>? FirstParked => _parked.First;

    public QueueReservation ReservationOf(int queueId)
    {
        while (_reservations.Count <= queueId)
        {
            _reservations.Add(new QueueReservation());
        }

        return _reservations[queueId];
    }

    /// <summary>Lets an operation wait, behind the others or, when it was served before, in front of them.</summary>
    public void Park(ReceiveOperation operation, bool inFront)
    {
        if (inFront)
        {
            _parked.AddFirst(operation);
        }
        else
        {
            _parked.AddLast(operation);
        }

        parkedCount.Value++;
    }

    public void Unpark(LinkedListNode<ReceiveOperation> node)
    {
        _parked.Remove(node);
        parkedCount.Value--;
    }

    /// <summary>Ends the operations that do not want to wait: there is nothing for them.</summary>
    public void EndUnwilling()
    {
        for (var node = _parked.Last; node is not null;)
        {
            var previous = node.Previous;
            if (node.Value.IsFinished || (!node.Value.CanWait && (!node.Value.TryClaim() || !node.Value.TryReopen())))
            {
                Unpark(node);
            }
            else
            {
                // Only the newest can be unwilling: each ends in the call that parks it.
                break;
            }

            node = previous;
        }
    }

    /// <summary>
    /// Now and then drops the finished ones: a poll that timed out stays in the list until somebody comes along, and
    /// without
    /// messages that is only the next poll.
    /// </summary>
    public void Sweep()
    {
        if (_parked.Count < _sweepAt)
        {
            return;
        }

        for (var node = _parked.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value.IsFinished)
            {
                Unpark(node);
            }

            node = next;
        }

        _sweepAt = Math.Max(SweepAtMin, _parked.Count * 2);
    }

    /// <summary>Ends all of them.</summary>
    public void EndAll(BrokerFailure failure)
    {
        parkedCount.Value -= _parked.Count;
        foreach (var operation in _parked)
        {
            if (operation.TryClaim())
            {
                operation.Complete(ReceiveGrant.Of(failure));
            }
        }

        _parked.Clear();
    }
}
