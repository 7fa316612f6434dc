using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Broker.Proposals;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Lites;

/// <summary>What callers do with lite topics: make, subscribe, list, delete. Any thread; the leader only.</summary>
internal sealed class LiteService(BrokerCalls calls)
{
    /// <summary>The queue of a lite topic, which is made first where there is none.</summary>
    public async ValueTask<(int QueueId, BrokerFailure? Failure)> FindOrCreateAsync(
        TopicView topic, string name, CancellationToken cancellationToken)
    {
        if (topic.Lites!.FindQueue(name) is { } known)
        {
            return (known, null);
        }

        var failure = await calls.ProposeAsync(
            RecordKind.LiteCreate, new LiteCreateCommand(topic.Id, name).Encode(), cancellationToken);
        return failure is null && topic.Lites.FindQueue(name) is { } created
            ? (created, null)
            : (0, failure ?? new BrokerFailure(BrokerError.Busy, "the lite topic ended as it was made; send again"));
    }

    /// <summary>Changes a client's set. Null on success.</summary>
    public async ValueTask<BrokerFailure?> SyncAsync(LiteSync sync, CancellationToken cancellationToken)
    {
        var (topic, failure) = Find(sync.Topic);
        if ((Names.CheckGroup(sync.Group) ?? CheckNames(sync)) is { } violation)
        {
            return BrokerFailure.Of(violation);
        }

        if (topic is null)
        {
            return failure;
        }

        var (named, noGroup) = await calls.Groups.FindOrCreateAsync(sync.Group, cancellationToken);
        if (named is null)
        {
            return noGroup;
        }

        // Of a broadcast group each client reads for itself, and so are its lite topics its own.
        var (group, noPlace) = await calls.Groups.JoinAsync(named, sync.ClientId, cancellationToken);
        if (group is null)
        {
            return noPlace;
        }

        if (sync.Action == LiteAction.PartialAdd
            && await SeekAsync(topic, group, sync, cancellationToken) is { } unmoved)
        {
            return unmoved;
        }

        // A leader that was replaced unawares would take the change and nobody would ever know of it.
        if (await calls.Log.ConfirmLeadershipAsync(cancellationToken) is { } replaced)
        {
            return FailureMapping.Of(replaced);
        }

        calls.Machine.Clients.Seen(sync.ClientId);
        var refused = calls.Machine.Lites.Update(
            group.Id, topic.Id, sync.ClientId, group.Settings.LiteSubscriptionQuota, names => Change(names, sync));
        if (refused is null)
        {
            calls.Machine.WakeReceivers(topic.Id, group.Id);
        }

        return refused;
    }

    /// <summary>Some of a parent's lite topics, by name, behind a name.</summary>
    public async ValueTask<LitePage> ListAsync(
        string topicName, string after, int countMax, CancellationToken cancellationToken)
    {
        var (topic, failure) = Find(topicName);
        return topic is null
            ? new LitePage(failure, [], false)
            : await calls.LookAsync(
                state => state.Topics.Find(topic.Id) is { Lites: { } lites } found
                    ? Page(found, lites, after, countMax)
                    : new LitePage(TopicService.NotFound(topicName), [], false),
                static refused => new LitePage(refused, [], false),
                cancellationToken);
    }

    /// <summary>Ends a lite topic with all its messages. Null on success.</summary>
    public async ValueTask<BrokerFailure?> DeleteAsync(string topicName, string name, CancellationToken cancellationToken)
    {
        var (topic, failure) = Find(topicName);
        if (topic is null)
        {
            return failure;
        }

        return LiteRules.CheckName(name) is { } violation
            ? BrokerFailure.Of(violation)
            : await calls.ProposeAsync(
                RecordKind.LiteEnd, new LiteEndCommand(topic.Id, IsForced: true, [name]).Encode(), cancellationToken);
    }

    /// <summary>Living clients of a group that have a lite topic in their sets; of a broadcast group each has a part of its own.</summary>
    public IReadOnlyList<string> FindClients(string groupName, string topicName, string name) =>
        calls.Machine.Groups.Find(groupName) is { } group && calls.Machine.Topics.Find(topicName) is { } topic
            ? calls.Machine.Lites.Askers(topic.Id, name, groupId => groupId == group.Id
                || calls.Machine.Groups.OwnerOf(groupId) == group.Id)
            : [];

    private static Violation? CheckNames(LiteSync sync)
    {
        if (!Enum.IsDefined(sync.Action))
        {
            return new Violation(BrokenRule.LiteSettings, $"the field 'action' is {(int)sync.Action}; 0 to 3 exist");
        }

        return sync.Names.Select(LiteRules.CheckName).FirstOrDefault(violation => violation is not null);
    }

    private static string[] Change(string[] names, LiteSync sync) => sync.Action switch
    {
        LiteAction.PartialAdd => [.. names.Union(sync.Names, StringComparer.Ordinal)],
        LiteAction.PartialRemove => [.. names.Except(sync.Names, StringComparer.Ordinal)],
        LiteAction.CompleteAdd => [.. sync.Names.Distinct(StringComparer.Ordinal)],
        _ => [],
    };

    private static LitePage Page(TopicState topic, LiteTable lites, string after, int countMax)
    {
        var page = lites.All
            .Where(lite => string.CompareOrdinal(lite.Name, after) > 0)
            .OrderBy(lite => lite.Name, StringComparer.Ordinal)
            .Take(countMax + 1)
            .Select(lite => new LiteDescription(
                lite.Name,
                lite.QueueId,
                new QueueOffset(Math.Max(lite.FirstOffset, topic.Queues[lite.QueueId].Min)),
                new QueueOffset(topic.Queues[lite.QueueId].Max),
                lite.CreatedAt,
                lite.LastActive))
            .ToList();
        return new LitePage(null, page.Count > countMax ? page[..countMax] : page, page.Count > countMax);
    }

    // What is added moves the group first, so that nothing is handed out in between.
    private async ValueTask<BrokerFailure?> SeekAsync(
        TopicView topic, GroupView group, LiteSync sync, CancellationToken cancellationToken)
    {
        int[] queueIds = [.. sync.Names.Select(topic.Lites!.FindQueue).OfType<int>().Distinct().Order()];
        if (sync.Offset.Kind == LiteOffsetKind.Last || queueIds.Length == 0)
        {
            return null;
        }

        long[]? atTime = null;
        if (sync.Offset.Kind == LiteOffsetKind.Time)
        {
            (atTime, var unfound) = await new TimeSearch(calls, topic.Id, queueIds, sync.Offset.Value).RunAsync(cancellationToken);
            if (unfound is { } failed)
            {
                return failed;
            }
        }

        var targets = await calls.LookAsync<QueueTarget[]>(
            state => state.Topics.Find(topic.Id) is { } found
                ? [.. queueIds.Select((queueId, i) =>
                    new QueueTarget(queueId, atTime?[i] ?? OffsetIn(found.Queues[queueId], sync.Offset)))]
                : [],
            static _ => [],
            cancellationToken);
        if (targets.Length == 0)
        {
            return calls.CheckServing() ?? TopicService.NotFound(topic.Name);
        }

        var outcome = await calls.ProposeRecordsAsync(
            ControlRecord.Encode(RecordKind.ResetOffset, new SeekCommand(group.Id, topic.Id, targets).Encode()),
            1,
            SeekOutcome.Of,
            cancellationToken);
        return outcome.Failure;
    }

    private static long OffsetIn(QueueState queue, LiteOffset place) => place.Kind switch
    {
        LiteOffsetKind.Min => queue.Min,
        LiteOffsetKind.Max => queue.Max,
        LiteOffsetKind.Tail => Math.Clamp(queue.Max - Math.Max(0, place.Value), queue.Min, queue.Max),
        _ => Math.Clamp(place.Value, queue.Min, queue.Max),
    };

    private (TopicView? Topic, BrokerFailure? Failure) Find(string name)
    {
        if (Names.CheckTopic(name) is { } violation)
        {
            return (null, BrokerFailure.Of(violation));
        }

        if (calls.CheckServing() is { } notServing)
        {
            return (null, notServing);
        }

        return calls.Machine.Topics.Find(name) switch
        {
            null => (null, TopicService.NotFound(name)),
            { Lites: null } other => (null, BrokerFailure.Of(new Violation(
                BrokenRule.TopicName, $"the topic '{name}' takes {other.AcceptedTypes} messages; lite topics live in topics of type LITE"))),
            var topic => (topic, null),
        };
    }
}
