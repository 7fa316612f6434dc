using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>
/// A replay delivers the finished messages of its selection to the group again, each with attempts from the first, and none of the others;
/// the group's offsets do not move.
/// </summary>
internal sealed class Replays : IFeature
{
    private const int MessageCount = 24;
    private const int PassesMin = 5;

    public string Name => "replay";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2 }, new Group { Name = round.Group }, cancellationToken);
        for (var number = 0; number < MessageCount; number++)
        {
            var tag = number % 4 == 0 ? "again" : "once";
            await round.Client.SendAsync(
                round.Topic,
                $"{number}",
                message =>
                {
                    message.SystemProperties.Tag = tag;
                    message.SystemProperties.Keys.Add($"key-{number % 3}");
                    message.UserProperties["amount"] = $"{number}";
                },
                cancellationToken);
        }

        var stored = await round.Operator.ReadAllAsync(round.Topic, cancellationToken);
        await ConsumeAsync(round, stored, "the first time", cancellationToken);
        var offsets = await OffsetsAsync(round, cancellationToken);
        for (int pass = 0, passesAfter = 0; pass < PassesMin || passesAfter < 2; pass++)
        {
            passesAfter += round.LeaderHasDied ? 1 : 0;
            var (request, isMeant) = SelectionOf(round, pass);
            await round.Operator.ReplayAsync(request, cancellationToken);
            await ConsumeAsync(round, [.. stored.Where(isMeant)], $"replay {pass}", cancellationToken);
            var now = await OffsetsAsync(round, cancellationToken);
            round.Check(now == offsets, $"replay {pass} moved the offsets of the group from {offsets} to {now}");
        }
    }

    private static (ReplayGroupRequest Request, Func<Message, bool> IsMeant) SelectionOf(FeatureRound round, int pass)
    {
        var request = new ReplayGroupRequest { Group = round.Group, Topic = round.Topic };
        switch (pass % 5)
        {
            case 0:
                request.TagExpression = "again";
                return (request, message => message.SystemProperties.Tag == "again");
            case 1:
                request.SqlExpression = "amount > 15";
                return (request, message => int.Parse(message.UserProperties["amount"], null) > 15);
            case 2:
                request.Keys.Add("key-2");
                return (request, message => message.SystemProperties.Keys.Contains("key-2"));
            case 3:
                request.MessageIds.AddRange(["3", "4", "5"]);
                return (request, message => message.SystemProperties.MessageId is "3" or "4" or "5");
            default:
                (request.QueueId, request.FirstOffset, request.LastOffset) = (1, 1, 4);
                return (request, message => MessagePlace.Of(message) is { Queue: 1, Offset: >= 1 and <= 4 });
        }
    }

    // Until all that is expected was acknowledged and nothing more comes.
    private static async Task ConsumeAsync(
        FeatureRound round, IReadOnlyCollection<Message> expected, string when, CancellationToken cancellationToken)
    {
        var wanted = expected.Select(MessagePlace.Of).ToHashSet();
        var acked = new HashSet<MessagePlace>();
        var attempts = new Dictionary<MessagePlace, int>();
        var lostReceives = 0;
        for (var idle = 0; idle < 1 || acked.Count < wanted.Count;)
        {
            var (batch, isWhole) = await round.TryReceiveAsync(
                round.Client, round.Receive(batch: 32, invisibleSeconds: 3, waitSeconds: 0.3), cancellationToken);
            lostReceives += isWhole ? 0 : 1;
            idle = batch.Count == 0 && isWhole ? idle + 1 : 0;
            foreach (var message in batch)
            {
                var place = MessagePlace.Of(message);
                round.Check(wanted.Contains(place), $"{when}: {place} came, which is not of the selection");
                round.Check(!acked.Contains(place), $"{when}: {place} came again after its acknowledgement");
                var (attempt, before) = (message.SystemProperties.DeliveryAttempt, attempts.GetValueOrDefault(place));
                round.Check(
                    attempt > before && attempt <= before + 1 + lostReceives,
                    $"{when}: {place} came in attempt {attempt} after {before}, {lostReceives} receives were lost");
                attempts[place] = attempt;
                if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Code.Ok && wanted.Contains(place))
                {
                    acked.Add(place);
                }
            }
        }
    }

    private static async Task<string> OffsetsAsync(FeatureRound round, CancellationToken cancellationToken) => string.Join(
        ' ',
        (await round.Operator.DescribeGroupAsync(round.Group, cancellationToken)).Queues
            .Select(queue => $"{queue.QueueId}:{queue.CommittedOffset}"));
}
