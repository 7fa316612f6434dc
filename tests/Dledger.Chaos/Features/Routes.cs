using Apache.Rocketmq.V2;
using Dledger.Chaos.Workers;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Chaos.Features;

/// <summary>
/// A message stands in exactly the topics whose routes want it, once each. Acknowledged means visible in all of them, refused in none. In a
/// target, message groups keep their order.
/// </summary>
internal sealed class Routes : IFeature
{
    private const int SenderCount = 3;
    private const int MessageCount = 20;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(15);

    public string Name => "route";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        // The window keeps a repeat after a lost answer from being another message.
        var window = Duration.FromTimeSpan(TimeSpan.FromMinutes(10));
        foreach (var target in TargetsOf(round).Prepend(new Target(round.Topic, null, static _ => true)))
        {
            await round.Client.CreateTopicAsync(
                new Topic
                {
                    Name = target.Topic,
                    QueueCount = 3,
                    AcceptMessageTypes = { MessageType.Fifo },
                    IdWindowTime = target.Topic == round.Topic ? window : null,
                },
                cancellationToken);
            if (target.Topic != round.Topic)
            {
                await round.Operator.AddRouteAsync(
                    new TopicRoute { Topic = round.Topic, Target = target.Topic, Filter = target.Filter }, cancellationToken);
            }
        }

        var sent = await Task.WhenAll(Enumerable.Range(0, SenderCount).Select(number => SendAsync(round, number, cancellationToken)));
        var acked = sent.SelectMany(static mine => mine).ToList();
        await CheckAsync(round, round.Topic, acked, cancellationToken);
        foreach (var target in TargetsOf(round))
        {
            await CheckAsync(round, target.Topic, [.. acked.Where(target.Wants)], cancellationToken);
        }
    }

    private static Target[] TargetsOf(FeatureRound round) =>
    [
        new($"{round.Topic}-all", null, static _ => true),
        new($"{round.Topic}-tag", new FilterExpression { Type = FilterType.Tag, Expression = "even" }, static sent => sent.Number % 2 == 0),
        new(
            $"{round.Topic}-sql",
            new FilterExpression { Type = FilterType.Sql, Expression = "amount > 7" },
            static sent => sent.Number > 7),
    ];

    private static async Task<IReadOnlyList<Sent>> SendAsync(FeatureRound round, int sender, CancellationToken cancellationToken)
    {
        var acked = new List<Sent>();
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            var sent = new Sent(sender, number);
            if (number % 5 == 3)
            {
                await RefusedAsync(round, sent, cancellationToken);
                continue;
            }

            await round.Client.SendAsync(round.Topic, sent.Id, message => Complete(message, sent, MessageType.Fifo), cancellationToken);
            acked.Add(sent);
            if (number % 6 == 0)
            {
                // Known by its id: neither stored nor routed again.
                await round.Client.SendAsync(
                    round.Topic, sent.Id, message => Complete(message, sent, MessageType.Fifo), cancellationToken);
            }

            if (number % 4 == 0)
            {
                await CheckVisibleAsync(round, sent, acked.Count, cancellationToken);
            }
        }

        return acked;
    }

    private static void Complete(Message message, Sent sent, MessageType type)
    {
        message.SystemProperties.MessageType = type;
        if (type == MessageType.Fifo)
        {
            message.SystemProperties.MessageGroup = $"g{sent.Sender}";
        }

        message.SystemProperties.Tag = sent.Number % 2 == 0 ? "even" : "odd";
        message.UserProperties["amount"] = $"{sent.Number}";
    }

    // Of a type that the topic does not accept.
    private static async Task RefusedAsync(FeatureRound round, Sent sent, CancellationToken cancellationToken)
    {
        var (end, _, _) = await round.Client.TrySendAsync(
            round.Topic, sent.Id, message => Complete(message, sent, MessageType.Normal), cancellationToken);
        round.Check(end.Certainty != Certainty.Done, $"{sent.Id} was taken although the topic does not accept its type");
    }

    // What one sender was acknowledged stands in the topic that wants all, right away.
    private static async Task CheckVisibleAsync(FeatureRound round, Sent sent, int ackedCount, CancellationToken cancellationToken)
    {
        var seen = await round.Operator.ReadAllAsync(TargetsOf(round)[0].Topic, cancellationToken);
        var visible = seen.Count(message => message.SystemProperties.MessageGroup == $"g{sent.Sender}");
        round.Check(visible >= ackedCount, $"after the acknowledgement of {sent.Id} only {visible} of {ackedCount} were visible");
    }

    private static async Task CheckAsync(FeatureRound round, string topic, List<Sent> expected, CancellationToken cancellationToken)
    {
        var stored = await round.Operator.ReadAllAsync(topic, cancellationToken);
        var counts = stored.CountBy(message => message.SystemProperties.MessageId).ToDictionary();
        foreach (var sent in expected)
        {
            round.Check(counts.Remove(sent.Id, out var count) && count == 1, $"{sent.Id} stands {count} times in {topic}");
        }

        round.Check(counts.Count == 0, $"in {topic} stand {string.Join(", ", counts.Keys)}, which nobody wants there");
        foreach (var group in stored.GroupBy(message => message.SystemProperties.MessageGroup))
        {
            // The reader goes queue by queue and offset by offset, and a message group has one queue.
            var numbers = group.Select(message => int.Parse(message.UserProperties["amount"], null)).ToList();
            round.Check(
                group.Select(message => message.SystemProperties.QueueId).Distinct().Count() == 1 && numbers.SequenceEqual(numbers.Order()),
                $"message group {group.Key} is not in order in {topic}: {string.Join(' ', numbers)}");
        }
    }

    private sealed record Sent(int Sender, int Number)
    {
        public string Id => $"{Sender}:{Number}";
    }

    private sealed record Target(string Topic, FilterExpression? Filter, Func<Sent, bool> Wants);
}
