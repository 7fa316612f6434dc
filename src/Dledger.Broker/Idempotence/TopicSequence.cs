using Dledger.Broker.Messages;

namespace Dledger.Broker.Idempotence;

/// <summary>How far one producer has come in one topic. Replicated state, owned by the apply loop.</summary>
internal sealed class TopicSequence(int topicId)
{
    /// <summary>Runs remembered. A batch is one, unless some of its messages were known by their ids.</summary>
    public const int RunsMax = 8;

    private readonly List<SequenceRun> _runs = [];

    public int TopicId { get; } = topicId;

    /// <summary>Number of the newest message; 0 before the first.</summary>
    public int Last { get; set; }

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<SequenceRun> Runs => _runs;

    /// <summary>The run that holds a number; null when it is forgotten.</summary>
    public SequenceRun? Find(int sequence)
    {
        foreach (var run in _runs)
        {
            if (sequence >= run.First && sequence <= run.Last)
            {
                return run;
            }
        }

        return null;
    }

    /// <summary>Notes what became of the next message.</summary>
    public void Advance(in AppendedMessage result)
    {
        Last++;
        if (_runs.Count > 0
            && _runs[^1] is var run
            && run.QueueId == result.QueueId
            && run.StoreTime == result.StoreTimeMicroseconds
            && run.FirstOffset + run.Count == result.QueueOffset.Value)
        {
            _runs[^1] = run with { Count = run.Count + 1 };
            return;
        }

        if (_runs.Count == RunsMax)
        {
            _runs.RemoveAt(0);
        }

        _runs.Add(new SequenceRun(
            Last, 1, result.QueueId, result.QueueOffset.Value, result.Position.Value, result.StoreTimeMicroseconds));
    }

    /// <summary>Puts a run of a checkpoint back.</summary>
    public void Restore(in SequenceRun run) => _runs.Add(run);
}
