using Dledger.Broker.Commands;
using Dledger.Broker.Lites;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Routes;
using Dledger.Primitives;
using Dledger.Storage.Queues;

namespace Dledger.Broker.Topics;

/// <summary>All topics. Replicated state, owned by the apply loop; <see cref="Directory"/> is for any thread.</summary>
internal sealed class TopicTable(ConsumeQueueStore queues)
{
    private readonly SortedDictionary<int, TopicState> _byId = [];
    private readonly Dictionary<string, TopicState> _byName = new(StringComparer.Ordinal);
    private readonly List<(int TopicId, int QueueId)> _orphans = [];
    private readonly List<(int TopicId, int QueueId)> _missingInCut = [];
    private readonly List<(int TopicId, int QueueId)> _missingInNewest = [];
    private volatile TopicDirectory _directory = TopicDirectory.Empty;

    /// <summary>The id that the next topic gets; ids are never used twice.</summary>
    public int NextId { get; private set; } = 1;

    /// <summary>Topics of the type LITE.</summary>
    public int LiteParentCount { get; private set; }

    /// <summary>The newest published snapshot.</summary>
    public TopicDirectory Directory => _directory;

    /// <summary>By ascending id.</summary>
    public IReadOnlyCollection<TopicState> All => _byId.Values;

    public TopicState? Find(int id) => _byId.GetValueOrDefault(id);

    public TopicState? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Creates or changes a topic. Null on success.</summary>
    public BrokerFailure? Upsert(TopicUpsertCommand command, long logTime)
    {
        if (Find(command.Name) is not { } topic)
        {
            if (command.Mode == UpsertMode.Update)
            {
                return new BrokerFailure(BrokerError.TopicNotFound, $"there is no topic '{command.Name}'");
            }

            var settings = TopicSettingsCodec.Apply(TopicSettings.Default, command.Settings);
            if ((Check(command) ?? CheckIdWindow(null, settings)) is { } problem)
            {
                return problem;
            }

            Add(new TopicView(NextId, command.Name, command.QueueCount, command.AcceptedTypes, logTime)
            {
                Settings = settings,
                Lites = command.AcceptedTypes == MessageTypeSet.Lite ? new LiteTable() : null,
            });
            NextId++;
            return null;
        }

        return command.Mode switch
        {
            UpsertMode.Create => new BrokerFailure(
                BrokerError.AlreadyExists, $"the topic '{command.Name}' exists already"),
            UpsertMode.Update => Update(topic, command, logTime),
            _ => null,
        };
    }

    /// <summary>Forgets a topic; its index files go with the second checkpoint from now. Null when there is none.</summary>
    public TopicState? Remove(string name)
    {
        if (!_byName.Remove(name, out var topic))
        {
            return null;
        }

        _byId.Remove(topic.Id);
        LiteParentCount -= topic.Lites is null ? 0 : 1;
        foreach (var queue in topic.Queues)
        {
            _orphans.Add((topic.Id, queue.QueueId));
        }

        Publish();
        return topic;
    }

    /// <summary>A state checkpoint is cut that knows nothing of the topics removed so far.</summary>
    public void BeginCheckpoint()
    {
        _missingInCut.AddRange(_orphans);
        _orphans.Clear();
    }

    /// <summary>
    /// The checkpoint is durable, or there is none. Index files go once neither of the two kept checkpoints needs them.
    /// </summary>
    public void EndCheckpoint(bool isDone)
    {
        if (!isDone)
        {
            _orphans.AddRange(_missingInCut);
        }
        else
        {
            foreach (var (topicId, queueId) in _missingInNewest)
            {
                queues.Delete(topicId, queueId);
            }

            _missingInNewest.Clear();
            _missingInNewest.AddRange(_missingInCut);
        }

        _missingInCut.Clear();
    }

    /// <summary>
    /// Puts a topic read from a checkpoint in place; its queues follow by <see cref="TopicState.Queues"/>.
    /// </summary>
    public TopicState Restore(TopicView view)
    {
        var topic = new TopicState(view);
        _byId.Add(view.Id, topic);
        _byName.Add(view.Name, topic);
        LiteParentCount += topic.Lites is null ? 0 : 1;
        return topic;
    }

    /// <summary>Ends a restore.</summary>
    public void RestoreNextId(int nextId)
    {
        Invariant.Check(_byId.Count == 0 || nextId > _byId.Keys.Max(), $"the next topic id {nextId} is unused");
        NextId = nextId;
        Publish();
    }

    /// <summary>Gives a topic more queues; never takes any away.</summary>
    public void GrowTo(TopicState topic, int queueCount)
    {
        if (queueCount <= topic.Queues.Count)
        {
            return;
        }

        topic.View = topic.View with { QueueCount = queueCount };
        CreateMissingQueues(topic);
        foreach (var subscription in topic.Subscriptions.Values)
        {
            subscription.AddMissingCursors();
        }

        Publish();
    }

    /// <summary>Gives a parent of lite topics so many queues at least; not published, for callers know lite topics by name.</summary>
    public void AddLiteQueues(TopicState topic, int queueCount)
    {
        if (queueCount <= topic.Queues.Count)
        {
            return;
        }

        AddQueues(topic, queueCount);
        foreach (var subscription in topic.Subscriptions.Values)
        {
            subscription.AddMissingCursors();
        }
    }

    private static BrokerFailure? Check(TopicUpsertCommand command)
    {
        if (command.QueueCount is < 1 or > Limits.QueueCountMax)
        {
            return new BrokerFailure(
                BrokerError.InvalidArgument,
                $"the topic '{command.Name}' would have {command.QueueCount} queues; " +
                $"1 to {Limits.QueueCountMax} are allowed",
                Rule: BrokenRule.QueueCount);
        }

        if (!command.AcceptedTypes.IsValid)
        {
            return new BrokerFailure(
                BrokerError.InvalidArgument,
                $"the topic '{command.Name}' would accept no known message type",
                Rule: BrokenRule.MessageTypes);
        }

        if (command.AcceptedTypes == MessageTypeSet.Lite && command.QueueCount != 1)
        {
            return new BrokerFailure(
                BrokerError.InvalidArgument,
                $"the topic '{command.Name}' would have {command.QueueCount} queues; a topic of type LITE begins with 1 and gets one for "
                + "each lite topic by itself",
                Rule: BrokenRule.QueueCount);
        }

        return command.AcceptedTypes.IsSociable
            ? null
            : new BrokerFailure(
                BrokerError.InvalidArgument,
                $"the topic '{command.Name}' would accept {command.AcceptedTypes} messages; a topic of type PRIORITY or LITE takes "
                + "no others",
                Rule: BrokenRule.MessageTypes);
    }

    private static BrokerFailure? CheckLite(TopicView view, TopicUpsertCommand command) =>
        view.IsLite == (command.AcceptedTypes == MessageTypeSet.Lite)
            ? null
            : new BrokerFailure(
                BrokerError.InvalidArgument,
                $"the topic '{view.Name}' takes {view.AcceptedTypes} messages; the type LITE is neither given nor taken later",
                Rule: BrokenRule.MessageTypes);

    // What all topics may remember has a bound, so that no number of topics fills the memory of the nodes.
    private BrokerFailure? CheckIdWindow(TopicState? topic, TopicSettings settings)
    {
        var others = _byId.Values.Where(other => !ReferenceEquals(other, topic)).Sum(other => other.View.IdWindow.CountMax);
        return settings.IdWindow.IsOn && others + settings.IdWindow.CountMax > Limits.IdWindowTotalMax
            ? new BrokerFailure(
                BrokerError.InvalidArgument,
                $"a window of {settings.IdWindow.CountMax} message ids is asked for; the topics may remember "
                + $"{Limits.IdWindowTotalMax} together, and the others take {others}",
                Rule: BrokenRule.IdWindow)
            : null;
    }

    private BrokerFailure? Update(TopicState topic, TopicUpsertCommand change, long logTime)
    {
        var view = topic.View;
        var command = change with
        {
            QueueCount = change.QueueCount == 0 ? view.QueueCount : change.QueueCount,
            AcceptedTypes = change.AcceptedTypes.Bits == 0 ? view.AcceptedTypes : change.AcceptedTypes,
        };
        if ((Check(command) ?? CheckLite(view, command)) is { } problem)
        {
            return problem;
        }

        if (command.QueueCount < view.QueueCount)
        {
            return new BrokerFailure(
                BrokerError.InvalidArgument,
                $"the topic '{command.Name}' has {view.QueueCount} queues; " +
                $"their number cannot shrink to {command.QueueCount}",
                Rule: BrokenRule.QueueCount);
        }

        if (RouteRules.Check(this, topic, command.AcceptedTypes, command.Settings) is { } badRoute)
        {
            return badRoute;
        }

        var settings = TopicSettingsCodec.Apply(view.Settings, command.Settings);
        if (CheckIdWindow(topic, settings) is { } tooMany)
        {
            return tooMany;
        }

        topic.View = view with
        {
            QueueCount = command.QueueCount,
            AcceptedTypes = command.AcceptedTypes,
            Settings = settings,
        };
        topic.KnownIds.Expire(settings.IdWindow, logTime);
        CreateMissingQueues(topic);
        foreach (var subscription in topic.Subscriptions.Values)
        {
            subscription.AddMissingCursors();
        }

        Publish();
        return null;
    }

    private void Add(TopicView view)
    {
        var topic = new TopicState(view);
        CreateMissingQueues(topic);
        _byId.Add(view.Id, topic);
        _byName.Add(view.Name, topic);
        LiteParentCount += topic.Lites is null ? 0 : 1;
        Publish();
    }

    private void CreateMissingQueues(TopicState topic) => AddQueues(topic, topic.View.QueueCount);

    private void AddQueues(TopicState topic, int queueCount)
    {
        while (topic.Queues.Count < queueCount)
        {
            var queueId = topic.Queues.Count;
            topic.Queues.Add(new QueueState(queueId, queues.Create(topic.Id, queueId)));
        }
    }

    private void Publish() => _directory = new TopicDirectory(_byId.Values.Select(topic => topic.View));
}
