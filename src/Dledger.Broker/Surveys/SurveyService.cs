using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Storage.Queues;
using Dledger.Storage.Records;

namespace Dledger.Broker.Surveys;

/// <summary>Looks over many groups or queues at once for callers, on the leader. Any thread; records are read on the caller's.</summary>
internal sealed class SurveyService(BrokerCalls calls)
{
    /// <summary>Queues whose times one question may be about.</summary>
    public const int QueueCountMax = 4_096;

    /// <summary>Who reads what: of one group, of one topic, or of both. By group, then topic.</summary>
    public async ValueTask<(IReadOnlyList<GroupSubscription> Subscriptions, BrokerFailure? Failure)> ListSubscriptionsAsync(
        string? group, string? topic, CancellationToken cancellationToken)
    {
        var violation = group is null && topic is null
            ? new Violation(BrokenRule.None, "neither a group nor a topic is named")
            : (group is null ? null : Names.CheckGroup(group)) ?? (topic is null ? null : Names.CheckTopic(topic));
        if (violation is { } broken)
        {
            return ([], BrokerFailure.Of(broken));
        }

        var (begun, askers, refused) = await calls.LookAsync<(List<(GroupView, TopicView)>, Dictionary<int, int[]>, BrokerFailure?)>(
            state => FindBegun(state, group, topic), static reason => ([], [], reason), cancellationToken);
        if (refused is { } failure)
        {
            return ([], failure);
        }

        // Whoever has only asked yet has begun nothing, and yet is there.
        var topics = calls.Machine.Topics.All.Where(known => topic is null || known.Name == topic).ToArray();
        var pairs = begun.Concat(calls.Machine.Groups.All
            .Where(known => group is null || known.Name == group)
            .SelectMany(known => topics.Select(asked => (known, asked)))
            .Where(pair => FiltersOf(pair.known, pair.asked, askers).Any()));
        return (
            [.. pairs
                .DistinctBy(static pair => (pair.Item1.Id, pair.Item2.Id))
                .OrderBy(static pair => pair.Item1.Name, StringComparer.Ordinal)
                .ThenBy(static pair => pair.Item2.Name, StringComparer.Ordinal)
                .Select(pair => new GroupSubscription(
                    pair.Item1, pair.Item2.Name, MembersOf(pair.Item1, pair.Item2, askers)))],
            null);
    }

    /// <summary>Store times of the queues that a group reads, by topic and queue; of all its topics when none is named.</summary>
    public async ValueTask<(IReadOnlyList<QueueTimes> Queues, BrokerFailure? Failure)> ReadTimesAsync(
        string group, IReadOnlyList<string> topics, CancellationToken cancellationToken)
    {
        if ((Names.CheckGroup(group) ?? topics.Select(Names.CheckTopic).FirstOrDefault(static found => found is not null)) is { } broken)
        {
            return ([], BrokerFailure.Of(broken));
        }

        var (places, refused) = await calls.LookAsync<(List<Place>, BrokerFailure?)>(
            state => FindPlaces(state, group, topics), static reason => ([], reason), cancellationToken);
        var times = new List<QueueTimes>(places.Count);
        foreach (var place in places)
        {
            times.Add(new QueueTimes(
                place.Topic, place.QueueId, TimeOf(place.First), TimeOf(place.Last), TimeOf(place.Finished), TimeOf(place.Next)));
        }

        return (times, refused);
    }

    /// <summary>What was stored from a time on up to and without another, in each queue of a topic or in one.</summary>
    public async ValueTask<(IReadOnlyList<OffsetRange> Ranges, BrokerFailure? Failure)> FindRangesAsync(
        string topicName, int? queueId, long fromMicroseconds, long toMicroseconds, CancellationToken cancellationToken)
    {
        if (Names.CheckTopic(topicName) is { } violation)
        {
            return ([], BrokerFailure.Of(violation));
        }

        if (calls.CheckServing() is { } notServing)
        {
            return ([], notServing);
        }

        if (calls.Machine.Topics.Find(topicName) is not { } topic)
        {
            return ([], new BrokerFailure(BrokerError.TopicNotFound, $"the topic '{topicName}' does not exist"));
        }

        if (queueId is { } one && OffsetRules.CheckQueue(topic, one) is { } wrongQueue)
        {
            return ([], BrokerFailure.Of(wrongQueue));
        }

        int[] queueIds = queueId is { } only ? [only] : [.. Enumerable.Range(0, topic.QueueCount)];
        var (from, unfound) = await new TimeSearch(calls, topic.Id, queueIds, fromMicroseconds).RunAsync(cancellationToken);
        if (unfound is { } reason)
        {
            return ([], reason);
        }

        var (to, noEnd) = await new TimeSearch(calls, topic.Id, queueIds, toMicroseconds).RunAsync(cancellationToken);
        return noEnd is { } missing
            ? ([], missing)
            : ([.. queueIds.Select((id, index) => new OffsetRange(id, from![index], to![index]))], null);
    }

    // Of broadcast groups also under which numbers their clients ask: each has a part of its own.
    private static (List<(GroupView Group, TopicView Topic)> Pairs, Dictionary<int, int[]> Askers, BrokerFailure? Failure) FindBegun(
        BrokerState state, string? groupName, string? topicName)
    {
        var group = groupName is null ? null : state.Groups.Find(groupName);
        var topic = topicName is null ? null : state.Topics.Find(topicName);
        if (groupName is not null && group is null)
        {
            return ([], [], UnknownGroup(groupName));
        }

        if (topicName is not null && topic is null)
        {
            return ([], [], UnknownTopic(topicName));
        }

        var subscriptions = group is null
            ? topic!.Subscriptions.Values
            : PartsOf(group).SelectMany(static part => part.Subscriptions.Values)
                .Where(subscription => topic is null || subscription.Topic == topic);
        IEnumerable<GroupState> groups = group is null ? state.Groups.All : [group];
        return (
            [.. subscriptions.Select(static found => ((found.Group.Owner ?? found.Group).View, found.Topic.View))],
            groups.Where(static known => known.Members.Count > 0).ToDictionary(
                static known => known.View.Id,
                static known => known.Members.Values.Select(static member => member.View.Id).ToArray()),
            null);
    }

    private static (List<Place> Places, BrokerFailure? Failure) FindPlaces(
        BrokerState state, string groupName, IReadOnlyList<string> topicNames)
    {
        if (state.Groups.Find(groupName) is not { } group)
        {
            return ([], UnknownGroup(groupName));
        }

        var topics = new List<TopicState>();
        foreach (var name in topicNames)
        {
            if (state.Topics.Find(name) is not { } topic)
            {
                return ([], UnknownTopic(name));
            }

            topics.Add(topic);
        }

        if (topics.Count == 0)
        {
            topics.AddRange(PartsOf(group)
                .SelectMany(static part => part.Subscriptions.Values)
                .Select(static subscription => subscription.Topic)
                .Distinct());
        }

        var queueCount = topics.Sum(static topic => topic.Queues.Count);
        if (queueCount > QueueCountMax)
        {
            return ([], new BrokerFailure(
                BrokerError.InvalidArgument,
                $"the topics have {queueCount} queues; times of up to {QueueCountMax} are read at once: name fewer topics"));
        }

        return (
            [.. topics
                .OrderBy(static topic => topic.View.Name, StringComparer.Ordinal)
                .SelectMany(topic => topic.Queues.Select(queue => PlaceOf(topic.View.Name, queue, CommitOf(group, topic, queue))))],
            null);
    }

    // Of a broadcast group: of the client that is farthest behind.
    private static long? CommitOf(GroupState group, TopicState topic, QueueState queue) => PartsOf(group)
        .Select(part => part.Subscriptions.GetValueOrDefault(topic.Id)?.Cursors[queue.QueueId].Commit)
        .Min();

    private static IEnumerable<GroupState> PartsOf(GroupState group) => group.Members.Values.Prepend(group);

    private static Place PlaceOf(string topic, QueueState queue, long? committed)
    {
        var commit = committed is { } known ? Math.Max(known, queue.Min) : (long?)null;
        return new Place(
            topic,
            queue.QueueId,
            EntryAt(queue, queue.Min),
            EntryAt(queue, queue.Max - 1),
            commit is { } behind ? EntryAt(queue, behind - 1) : null,
            commit is { } next ? EntryAt(queue, next) : null);
    }

    private static ConsumeQueueEntry? EntryAt(QueueState queue, long offset) =>
        offset >= queue.Min && offset < queue.Max ? queue.Read(offset) : null;

    private static BrokerFailure UnknownGroup(string name) =>
        new(BrokerError.GroupNotFound, $"the consumer group '{name}' does not exist");

    private static BrokerFailure UnknownTopic(string name) =>
        new(BrokerError.TopicNotFound, $"the topic '{name}' does not exist");

    private IEnumerable<ClientFilter> FiltersOf(GroupView group, TopicView topic, Dictionary<int, int[]> askers) =>
        (askers.GetValueOrDefault(group.Id) ?? [group.Id]).SelectMany(asker => calls.Machine.Filters.Members(asker, topic.Id));

    // In a broadcast group everybody may ask with a filter of his own.
    private GroupMember[] MembersOf(GroupView group, TopicView topic, Dictionary<int, int[]> askers)
    {
        ClientFilter[] members = [.. FiltersOf(group, topic, askers).OrderBy(static member => member.ClientId, StringComparer.Ordinal)];
        var differ = !group.Settings.Broadcast && members.Select(static member => member.Filter.Text).Distinct(StringComparer.Ordinal).Skip(1).Any();
        return [.. members.Select(member => new GroupMember(member.ClientId, topic.Name, member.Filter.Text, differ)
        {
            IsSql = member.Filter.NeedsRecords,
        })];
    }

    // What was given up since the look, or cannot be read, has no time.
    private long? TimeOf(ConsumeQueueEntry? entry) =>
        entry is { } found
        && calls.Records.Read(found.Position, found.Size) is { } bytes
        && RecordView.TryParseUnchecked(bytes, out var record, out _)
            ? record.StoreTime
            : null;

    private sealed record Place(
        string Topic,
        int QueueId,
        ConsumeQueueEntry? First,
        ConsumeQueueEntry? Last,
        ConsumeQueueEntry? Finished,
        ConsumeQueueEntry? Next);
}
