using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Quotas;
using Dledger.Broker.Transactions;
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
            UpsertMode.Ensure, name, calls.Options.AutoCreateQueueCount, MessageTypeSet.Normal, []);
        var failure = await calls.ProposeAsync(RecordKind.TopicUpsert, command.Encode(), cancellationToken);
        return failure is null && calls.Machine.Topics.Find(name) is { } created
            ? (created, null)
            : (null, failure ?? NotFound(name));
    }

    public ValueTask<BrokerFailure?> CreateAsync(TopicSpec spec, CancellationToken cancellationToken) => UpsertAsync(
        new TopicUpsertCommand(
            UpsertMode.Create,
            spec.Name,
            spec.QueueCount,
            spec.AcceptedTypes,
            TopicSettingsCodec.Encode(spec.Settings)),
        TopicRules.CheckRetention(spec.RetentionTime, spec.RetentionBytes)
            ?? TopicRules.CheckIdWindow(spec.IdWindowTime, spec.IdWindowCount)
            ?? QuotaRules.Check("produce", spec.ProduceQuota)
            ?? LiteRules.CheckSettings(spec.LiteExpiry, spec.LiteTopicsMax),
        cancellationToken);

    public ValueTask<BrokerFailure?> UpdateAsync(TopicChange change, CancellationToken cancellationToken) => UpsertAsync(
        new TopicUpsertCommand(
            UpsertMode.Update,
            change.Name,
            change.QueueCount ?? 0,
            change.AcceptedTypes ?? default,
            TopicSettingsCodec.Encode(change)),
        CheckChange(change)
            ?? TransactionRules.Check(change)
            ?? TopicRules.CheckRetention(change.RetentionTime ?? TimeSpan.Zero, change.RetentionBytes ?? 0)
            ?? TopicRules.CheckIdWindow(change.IdWindowTime ?? TimeSpan.Zero, change.IdWindowCount ?? 0)
            ?? QuotaRules.Check(
                "produce", new QuotaRates(change.ProduceMessagesPerSecond ?? 0, change.ProduceBytesPerSecond ?? 0))
            ?? LiteRules.CheckSettings(
                change.LiteExpiry ?? Lites.LiteSettings.Default.Expiry, change.LiteTopicsMax ?? Lites.LiteSettings.Default.CountMax),
        cancellationToken);

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

    // What means "as it is" in a command must not be said by a value that is wrong.
    private static Violation? CheckChange(TopicChange change) =>
        change.QueueCount == 0 ? BadQueueCount(0) : change.AcceptedTypes is { Bits: 0 } ? BadTypes : null;

    private static Violation BadQueueCount(int count) => new(
        BrokenRule.QueueCount, $"{count} queues are asked for; 1 to {Limits.QueueCountMax} are allowed");

    private static Violation BadTypes => new(
        BrokenRule.MessageTypes, "the topic must accept at least one known message type");

    private static BrokerFailure Unknown(string name) =>
        new(BrokerError.TopicNotFound, $"the topic '{name}' does not exist");

    private static TopicDescription Describe(TopicState topic) => new(
        topic.View,
        [.. topic.Queues.Select(queue => new QueueDescription(
            queue.QueueId, new QueueOffset(queue.Min), new QueueOffset(queue.Max)))]);

    private async ValueTask<BrokerFailure?> UpsertAsync(
        TopicUpsertCommand command, Violation? violation, CancellationToken cancellationToken)
    {
        var isUpdate = command.Mode == UpsertMode.Update;
        violation = Names.CheckTopic(command.Name) ?? violation;
        if (violation is null && command.QueueCount is < 1 or > Limits.QueueCountMax && !(isUpdate && command.QueueCount == 0))
        {
            violation = BadQueueCount(command.QueueCount);
        }

        if (violation is null && !command.AcceptedTypes.IsValid && !(isUpdate && command.AcceptedTypes.Bits == 0))
        {
            violation = BadTypes;
        }

        return violation is { } broken
            ? BrokerFailure.Of(broken)
            : calls.CheckServing()
                ?? await calls.ProposeAsync(RecordKind.TopicUpsert, command.Encode(), cancellationToken);
    }
}
