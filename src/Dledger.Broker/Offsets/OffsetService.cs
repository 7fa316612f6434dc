using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;

namespace Dledger.Broker.Offsets;

/// <summary>Finds, reads and moves the offsets of groups for callers. Any thread.</summary>
internal sealed class OffsetService(BrokerCalls calls)
{
    /// <summary>Moves a group, or says what that would do.</summary>
    public async ValueTask<SeekOutcome> SeekAsync(SeekRequest request, CancellationToken cancellationToken)
    {
        if ((Names.CheckGroup(request.Group) ?? Names.CheckTopic(request.Topic)) is { } violation)
        {
            return SeekOutcome.Of(BrokerFailure.Of(violation));
        }

        if (calls.CheckServing() is { } notServing)
        {
            return SeekOutcome.Of(notServing);
        }

        if (calls.Machine.Topics.Find(request.Topic) is not { } topic)
        {
            return SeekOutcome.Of(TopicService.NotFound(request.Topic));
        }

        if (calls.Machine.Groups.Find(request.Group) is not { } group)
        {
            return SeekOutcome.Of(GroupService.NotFound(request.Group));
        }

        if (BroadcastRules.CheckHasOffsets(group) is { } broadcast)
        {
            return SeekOutcome.Of(BrokerFailure.Of(broadcast));
        }

        if (request.QueueId is { } one && OffsetRules.CheckQueue(topic, one) is { } wrongQueue)
        {
            return SeekOutcome.Of(BrokerFailure.Of(wrongQueue));
        }

        int[] queueIds = request.QueueId is { } only ? [only] : [.. Enumerable.Range(0, topic.QueueEnd)];
        long[]? atTime = null;
        if (request.Target.Kind == SeekKind.Time)
        {
            var search = new TimeSearch(calls, topic.Id, queueIds, request.Target.Value);
            (atTime, var unfound) = await search.RunAsync(cancellationToken);
            if (unfound is { } failed)
            {
                return SeekOutcome.Of(failed);
            }
        }

        var plan = await calls.LookAsync(
            state => Plan(state, request, group.Id, topic.Id, queueIds, atTime), SeekOutcome.Of, cancellationToken);
        if (plan.Failure is not null || request.IsDryRun)
        {
            return plan;
        }

        var command = new SeekCommand(
            group.Id, topic.Id, [.. plan.Queues.Select(queue => new QueueTarget(queue.QueueId, queue.To))]);
        return await calls.ProposeRecordsAsync(
            ControlRecord.Encode(RecordKind.ResetOffset, command.Encode()), 1, SeekOutcome.Of, cancellationToken);
    }

    /// <summary>
    /// Says where a group reads on in a queue. Ahead of where it is, everything before counts as finished and what it has begun behind
    /// goes on, so the later of two that overtake each other holds; behind, it is a seek.
    /// </summary>
    public async ValueTask<BrokerFailure?> UpdateAsync(
        string group, string topic, int queueId, long offset, CancellationToken cancellationToken)
    {
        var (answer, groupId, topicId) = await FindAsync(group, topic, queueId, cancellationToken);
        if (answer.Failure is { Error: not BrokerError.OffsetNotFound } failure)
        {
            return failure;
        }

        var (range, gone) = await RangeAsync(topicId, queueId, cancellationToken);
        if (range is not var (min, max))
        {
            return gone;
        }

        if (offset < min || offset > max)
        {
            return BrokerFailure.Of(OffsetRules.Outside(topic, queueId, offset, min, max));
        }

        QueueTarget[] targets = [new QueueTarget(queueId, offset)];
        if (answer.Failure is null && offset >= answer.Offset)
        {
            return await calls.ProposeAsync(
                RecordKind.CommitOffset, new CommitOffsetCommand(groupId, topicId, targets).Encode(), cancellationToken);
        }

        var outcome = await calls.ProposeRecordsAsync(
            ControlRecord.Encode(RecordKind.ResetOffset, new SeekCommand(groupId, topicId, targets).Encode()),
            1,
            SeekOutcome.Of,
            cancellationToken);
        return outcome.Failure;
    }

    /// <summary>Below which everything is finished for a group; refused when it never read the topic.</summary>
    public async ValueTask<OffsetAnswer> GetAsync(
        string group, string topic, int queueId, CancellationToken cancellationToken) =>
        (await FindAsync(group, topic, queueId, cancellationToken)).Answer;

    /// <summary>A place of a queue as an offset.</summary>
    public async ValueTask<OffsetAnswer> QueryAsync(
        string topicName, int queueId, SeekTarget place, CancellationToken cancellationToken)
    {
        if (Names.CheckTopic(topicName) is { } violation)
        {
            return new OffsetAnswer(BrokerFailure.Of(violation), 0);
        }

        if (calls.CheckServing() is { } notServing)
        {
            return new OffsetAnswer(notServing, 0);
        }

        if (calls.Machine.Topics.Find(topicName) is not { } topic)
        {
            return new OffsetAnswer(TopicService.NotFound(topicName), 0);
        }

        if (OffsetRules.CheckQueue(topic, queueId) is { } wrongQueue)
        {
            return new OffsetAnswer(BrokerFailure.Of(wrongQueue), 0);
        }

        if (place.Kind == SeekKind.Time)
        {
            var (offsets, unfound) =
                await new TimeSearch(calls, topic.Id, [queueId], place.Value).RunAsync(cancellationToken);
            return new OffsetAnswer(unfound, offsets?[0] ?? 0);
        }

        var (range, gone) = await RangeAsync(topic.Id, queueId, cancellationToken);
        return range is var (min, max)
            ? new OffsetAnswer(null, place.Kind == SeekKind.Latest ? max : min)
            : new OffsetAnswer(gone, 0);
    }

    private static SeekOutcome Plan(
        BrokerState state, SeekRequest request, int groupId, int topicId, int[] queueIds, long[]? atTime)
    {
        if (state.Topics.Find(topicId) is not { } topic)
        {
            return SeekOutcome.Of(new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted"));
        }

        if (state.Groups.Find(groupId) is not { } group)
        {
            return SeekOutcome.Of(new BrokerFailure(BrokerError.GroupNotFound, "the consumer group was deleted"));
        }

        // Where the group would begin when it never read the topic.
        var subscription = topic.Subscriptions.GetValueOrDefault(groupId) ?? new Subscription(group, topic);
        var seeks = new List<QueueSeek>(queueIds.Length);
        for (var i = 0; i < queueIds.Length; i++)
        {
            var queue = topic.Queues[queueIds[i]];
            var cursor = subscription.Cursors[queueIds[i]];
            var target = request.Target;
            var isExact = target.Kind == SeekKind.Offset && request.QueueId is not null;
            if (isExact && (target.Value < queue.Min || target.Value > queue.Max))
            {
                return SeekOutcome.Of(BrokerFailure.Of(OffsetRules.Outside(
                    request.Topic, queue.QueueId, target.Value, queue.Min, queue.Max)));
            }

            seeks.Add(SeekPlan.Of(cursor, target.Kind switch
            {
                SeekKind.Earliest => queue.Min,
                SeekKind.Latest => queue.Max,
                SeekKind.Offset => target.Value,
                SeekKind.Time => atTime![i],
                _ => AddSaturated(cursor.Commit, target.Value),
            }));
        }

        return new SeekOutcome(null, seeks);
    }

    private static long AddSaturated(long offset, long delta) =>
        delta > long.MaxValue - offset ? long.MaxValue : offset + delta;

    private async ValueTask<(OffsetAnswer Answer, int GroupId, int TopicId)> FindAsync(
        string group, string topic, int queueId, CancellationToken cancellationToken)
    {
        var (groupId, topicId, failure) = calls.Receipts.Resolve(group, topic);
        if (failure is not null)
        {
            return (new OffsetAnswer(failure, 0), 0, 0);
        }

        if (calls.Machine.Groups.Find(group) is { } view && BroadcastRules.CheckHasOffsets(view) is { } broadcast)
        {
            return (new OffsetAnswer(BrokerFailure.Of(broadcast), 0), 0, 0);
        }

        if (OffsetRules.CheckQueue(calls.Machine.Topics.Find(topic)!, queueId) is { } wrongQueue)
        {
            return (new OffsetAnswer(BrokerFailure.Of(wrongQueue), 0), 0, 0);
        }

        var answer = await calls.LookAsync(
            state => state.FindSubscription(groupId, topicId) is { } subscription
                ? new OffsetAnswer(null, subscription.Cursors[queueId].Commit)
                : new OffsetAnswer(
                    new BrokerFailure(
                        BrokerError.OffsetNotFound, $"the consumer group '{group}' never read the topic '{topic}'"),
                    0),
            static refused => new OffsetAnswer(refused, 0),
            cancellationToken);
        return (answer, groupId, topicId);
    }

    private ValueTask<((long Min, long Max)? Range, BrokerFailure? Failure)> RangeAsync(
        int topicId, int queueId, CancellationToken cancellationToken) =>
        calls.LookAsync<((long Min, long Max)?, BrokerFailure?)>(
            state => state.Topics.Find(topicId) is { } topic
                ? ((topic.Queues[queueId].Min, topic.Queues[queueId].Max), null)
                : (null, new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted")),
            static failure => (null, failure),
            cancellationToken);
}
