using Dledger.Broker.Topics;

namespace Dledger.Broker.Groups;

/// <summary>A group's progress in one topic. Replicated state, owned by the apply loop.</summary>
internal sealed class Subscription
{
    private readonly List<QueueCursor> _cursors = [];

    public Subscription(GroupState group, TopicState topic, SeededDefect defect = SeededDefect.None)
    {
        Defect = defect;
        Group = group;
        Topic = topic;
        AddMissingCursors();
    }

    /// <summary>For the simulation only.</summary>
    public SeededDefect Defect { get; }

    public GroupState Group { get; }

    public TopicState Topic { get; }

    /// <summary>One per queue, by queue id.</summary>
    public IReadOnlyList<QueueCursor> Cursors => _cursors;

    /// <summary>Unfinished messages below the commit offsets of all queues.</summary>
    public int AsideCount { get; set; }

    /// <summary>In an exclusive group the client that is given messages; 0 before the first one.</summary>
    public long Holder { get; set; }

    /// <summary>Live leases that carry an attempt id.</summary>
    public Dictionary<UInt128, Lease> LeaseByAttempt { get; } = [];

    /// <summary>Gives queues that the topic gained a cursor at their beginning.</summary>
    public void AddMissingCursors()
    {
        while (_cursors.Count < Topic.Queues.Count)
        {
            var queueId = _cursors.Count;
            _cursors.Add(new QueueCursor(this, queueId, Topic.Queues[queueId].Min));
        }
    }

    /// <summary>Starts behind all present messages. Only for a subscription that was never used.</summary>
    public void StartAtEnd()
    {
        for (var queueId = 0; queueId < _cursors.Count; queueId++)
        {
            _cursors[queueId] = new QueueCursor(this, queueId, Topic.Queues[queueId].Max);
        }
    }

    /// <summary>Puts a cursor read from a checkpoint in place.</summary>
    public void RestoreCursor(QueueCursor cursor) => _cursors[cursor.QueueId] = cursor;
}
