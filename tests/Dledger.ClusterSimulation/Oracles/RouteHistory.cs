using System.Globalization;
using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Routes;
using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// Routes (I67): what rules the log has, by a plain reading of it; what the senders of a source were told; and what consumers of its
/// targets were given.
/// </summary>
internal sealed class RouteHistory(SimulatedCluster cluster)
{
    public const string Source = "routed";

    /// <summary>The one that an operator adds and takes away.</summary>
    public const string Flapping = "flapping";

    public static readonly IReadOnlyList<string> Targets = ["target-all", "target-some", "target-flapping"];

    private const string IdPrefix = "q:";

    private readonly Dictionary<string, int> _topicIds = new(StringComparer.Ordinal);
    private readonly HashSet<int> _forwarded = [];
    private readonly Dictionary<string, Sent> _sent = new(StringComparer.Ordinal);
    private readonly HashSet<(int TopicId, LogPosition Position)> _consumed = [];

    // Whether the flapping route is there, after each change of it in the log.
    private readonly List<bool> _flaps = [false];
    private int _ackedFlaps;
    private int _number;

    public static bool Owns(string messageId) => messageId.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>A topic is there.</summary>
    public void Knows(string topic, int id) => _topicIds[topic] = id;

    /// <summary>All that becomes visible in a topic of other clients goes to the first target, too.</summary>
    public void Forwards(int topicId) => _forwarded.Add(topicId);

    /// <summary>A send begins; an id is sent again when no answer comes.</summary>
    public string Invoke(string? tag, int number)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{IdPrefix}{++_number}");
        _sent.Add(id, new Sent(tag, number, _ackedFlaps));
        return id;
    }

    /// <summary>A send was answered: the message stands in its queue and in those of its targets.</summary>
    public void Acked(string id, AppendedMessage answer)
    {
        var sent = _sent[id];
        cluster.Checks.Check(
            "I67",
            sent.Position == answer.Position,
            $"{id} is acked at {answer.Position}, in the log it is at {sent.Position}");
        CheckPlaces(id, sent);
    }

    /// <summary>A send was refused by every node that was asked for it.</summary>
    public void Rejected(string id)
    {
        cluster.Marks.Reach("routed message refused");
        _sent[id].IsRejected = true;
        cluster.Checks.Check("I67", _sent[id].Position is null, $"{id} is refused, but it is in the log");
    }

    /// <summary>The operator was told that its change is made.</summary>
    public void FlapAcked() => _ackedFlaps = _flaps.Count - 1;

    /// <summary>A change of a topic is in the log.</summary>
    public void Changed(TopicUpsertCommand command)
    {
        if (command.Name != Source)
        {
            return;
        }

        foreach (var setting in command.Settings)
        {
            var isAdded = setting.Tag == RouteCodec.Added && RouteCodec.DecodeAdded(setting).Name == Flapping;
            var isRemoved = setting.Tag == RouteCodec.Removed && RouteCodec.DecodeRemoved(setting) == Flapping;
            if (isAdded ? !_flaps[^1] : isRemoved && _flaps[^1])
            {
                cluster.Marks.Reach("route added or removed under load");
                _flaps.Add(isAdded);
            }
        }
    }

    /// <summary>A message of the source is in the log; false for a repeat, which has no effect.</summary>
    public bool Stored(string id, in RecordView record, LogPosition position)
    {
        cluster.Checks.Check(
            "I67", _sent.TryGetValue(id, out var sent) && !sent.IsRejected, $"{id} is in the log, but nobody sent it, or it was refused");
        if (sent!.Position is not null)
        {
            cluster.Marks.Reach("repeat of a routed message without effect");
            return false;
        }

        sent.Position = position;
        sent.TargetIds = TargetsOf(record);
        var mayFlap = _flaps.Skip(sent.FirstFlap).Distinct().ToArray();
        cluster.Checks.Check(
            "I67",
            mayFlap.Any(flap => sent.TargetIds.Order().SequenceEqual(Expected(sent, flap).Order())),
            $"{id} with tag {sent.Tag} and number {sent.Number} is routed to topics {string.Join(", ", sent.TargetIds)}");
        return true;
    }

    /// <summary>A record of any client joined its queue; what it says of other queues must be what the rules of its topic say.</summary>
    public void Joined(in RecordView record)
    {
        if (Owns(Encoding.UTF8.GetString(record.Key)) && record.Kind == RecordKind.Message)
        {
            return;
        }

        int[] expected = _forwarded.Contains(record.TopicId) ? [_topicIds[Targets[0]]] : [];
        if (expected.Length > 0)
        {
            cluster.Marks.Reach("copy of a delayed or transactional message routed");
        }

        cluster.Checks.Check(
            "I67",
            TargetsOf(record).SequenceEqual(expected),
            $"{Encoding.UTF8.GetString(record.Key)} of topic {record.TopicId} is routed to {string.Join(", ", TargetsOf(record))}");
    }

    /// <summary>A consumer was given a message of the source or a target.</summary>
    public void Delivered(DeliveredMessage message)
    {
        var topicId = _topicIds[message.Topic];
        var stored = cluster.Oracle.FindIn(topicId, message.QueueId, message.QueueOffset.Value);
        cluster.Checks.Check(
            "I67",
            stored is not null && stored.Id == message.MessageId && stored.Position == message.Position
                && stored.Body.AsSpan().SequenceEqual(message.Body.Span),
            $"{message.MessageId} is delivered from {message.Topic}/{message.QueueId}/{message.QueueOffset}, in the log there is "
                + $"{stored?.ToString() ?? "nothing"}");
        _consumed.Add((topicId, message.Position));
    }

    /// <summary>What was not consumed in the source or a target; null: nothing.</summary>
    public string? DescribeOpen()
    {
        var unread = _topicIds
            .SelectMany(topic => cluster.Oracle.Queues.Where(queue => queue.Key.Topic == topic.Value).SelectMany(queue => queue.Messages))
            .Where(message => !cluster.Oracle.IsGone(message) && !_consumed.Contains((message.TopicId, message.Position)))
            .ToList();
        return unread.Count == 0 ? null : $"{unread.Count} routed messages are not consumed, for example {unread[0].Id};";
    }

    private void CheckPlaces(string id, Sent sent)
    {
        foreach (var targetId in sent.TargetIds)
        {
            var count = cluster.Oracle.Queues
                .Where(queue => queue.Key.Topic == targetId)
                .Sum(queue => queue.Messages.Count(message => message.Id == id));
            cluster.Checks.Check("I67", count == 1, $"{id} is acked and stands {count} times in topic {targetId}");
        }
    }

    private int[] Expected(Sent sent, bool flap)
    {
        var targets = new List<int> { _topicIds[Targets[0]] };
        if (sent.Tag == "red" || sent.Number > 50)
        {
            targets.Add(_topicIds[Targets[1]]);
        }

        if (flap && sent.Tag is not null)
        {
            targets.Add(_topicIds[Targets[2]]);
        }

        return [.. targets];
    }

    private static int[] TargetsOf(in RecordView record)
    {
        var places = RoutedPlaces.Of(record);
        var targets = new int[places.Count];
        for (var i = 0; i < targets.Length; i++)
        {
            targets[i] = places[i].TopicId;
        }

        return targets;
    }

    private sealed record Sent(string? Tag, int Number, int FirstFlap)
    {
        public LogPosition? Position { get; set; }

        public int[] TargetIds { get; set; } = [];

        public bool IsRejected { get; set; }
    }
}
