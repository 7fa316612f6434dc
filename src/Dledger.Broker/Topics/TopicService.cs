using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Topics;

/// <summary>Creates, changes and describes topics for callers. Any thread.</summary>
internal sealed class TopicService(BrokerCalls calls)
{
    public async ValueTask<(TopicView? Topic, BrokerFailure? Failure)> FindOrCreateAsync(
        string name, CancellationToken cancellationToken)
    {
        if (Names.CheckTopic(name) is { } violation)
        {
            return (null, BrokerFailure.Of(violation));
        }

        if (calls.Machine.Topics.Find(name) is { } known)
        {
            return (known, null);
        }

        // Only the leader knows for sure that the topic does not exist.
        if (calls.CheckServing() is { } notServing)
        {
            return (null, notServing);
        }

        if (!calls.Options.AutoCreateTopics)
        {
            return (null, NotFound(name));
        }

        var command = new TopicUpsertCommand(
            UpsertMode.Ensure, name, calls.Options.AutoCreateQueueCount, MessageTypeSet.Normal);
        var failure = await calls.ProposeAsync(RecordKind.TopicUpsert, command.Encode(), cancellationToken);
        return failure is null && calls.Machine.Topics.Find(name) is { } created
            ? (created, null)
            : (null, failure ?? NotFound(name));
    }

    public ValueTask<BrokerFailure?> CreateAsync(TopicSpec spec, CancellationToken cancellationToken) =>
        UpsertAsync(spec, UpsertMode.Create, cancellationToken);

    public ValueTask<BrokerFailure?> UpdateAsync(TopicSpec spec, CancellationToken cancellationToken) =>
        UpsertAsync(spec, UpsertMode.Update, cancellationToken);

    public async ValueTask<BrokerFailure?> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        if (Names.CheckTopic(name) is { } violation)
        {
            return BrokerFailure.Of(violation);
        }

        return calls.CheckServing()
            ?? await calls.ProposeAsync(RecordKind.TopicDelete, new NameCommand(name).Encode(), cancellationToken);
    }

    public ValueTask<(TopicDescription? Topic, BrokerFailure? Failure)> DescribeAsync(
        string name, CancellationToken cancellationToken) =>
        calls.LookAsync<(TopicDescription?, BrokerFailure?)>(
            state => state.Topics.Find(name) is { } topic ? (Describe(topic), null) : (null, Unknown(name)),
            static failure => (null, failure),
            cancellationToken);

    internal static BrokerFailure NotFound(string name) => new(
        BrokerError.TopicNotFound, $"there is no topic '{name}'; create it with 'dledger topic create {name}'");

    private static BrokerFailure Unknown(string name) =>
        new(BrokerError.TopicNotFound, $"the topic '{name}' does not exist");

    private static TopicDescription Describe(TopicState topic) => new(
        topic.View,
        [.. topic.Queues.Select(queue => new QueueDescription(
            queue.QueueId, new QueueOffset(queue.Min), new QueueOffset(queue.Max)))]);

    private async ValueTask<BrokerFailure?> UpsertAsync(
        TopicSpec spec, UpsertMode mode, CancellationToken cancellationToken)
    {
        if (Names.CheckTopic(spec.Name) is { } violation)
        {
            return BrokerFailure.Of(violation);
        }

        if (spec.QueueCount is < 1 or > Limits.QueueCountMax)
        {
            return BrokerFailure.Of(new Violation(
                BrokenRule.QueueCount,
                $"{spec.QueueCount} queues are asked for; 1 to {Limits.QueueCountMax} are allowed"));
        }

        if (!spec.AcceptedTypes.IsValid)
        {
            return BrokerFailure.Of(new Violation(
                BrokenRule.MessageTypes, "the topic must accept at least one known message type"));
        }

        var command = new TopicUpsertCommand(mode, spec.Name, spec.QueueCount, spec.AcceptedTypes);
        return calls.CheckServing()
            ?? await calls.ProposeAsync(RecordKind.TopicUpsert, command.Encode(), cancellationToken);
    }
}
