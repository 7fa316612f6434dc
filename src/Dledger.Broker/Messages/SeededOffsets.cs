using Dledger.Broker.StateMachine;

namespace Dledger.Broker.Messages;

/// <summary>
/// What <see cref="SeededDefect.QueueOffsetAtAppend"/> answers: offsets counted while messages are proposed, from where the queue
/// ended when this process first led. Only for the simulation, which has one thread.
/// </summary>
internal sealed class SeededOffsets(BrokerStateMachine machine)
{
    private readonly Dictionary<(int Topic, int Queue), long> _next = [];

    /// <summary>The first of the offsets that a batch is promised.</summary>
    public long Take(int topicId, int queueId, int count)
    {
        if (!_next.TryGetValue((topicId, queueId), out var first))
        {
            first = machine.State.Topics.Find(topicId)!.Queues[queueId].Max;
        }

        _next[(topicId, queueId)] = first + count;
        return first;
    }
}
