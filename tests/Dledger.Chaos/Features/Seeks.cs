using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>
/// A seek of a group takes effect at one moment for all nodes: no handle from before it finishes a message that it brings back, all from the
/// place on come again, and nothing below it does.
/// </summary>
internal sealed class Seeks : IFeature
{
    private const int QueueCount = 2;
    private const int MessagesPerPass = 4;
    private const int PassesMin = 6;

    public string Name => "seek";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = QueueCount }, new Group { Name = round.Group }, cancellationToken);
        for (int pass = 0, passesAfter = 0; pass < PassesMin || passesAfter < 3; pass++)
        {
            passesAfter += round.LeaderHasDied ? 1 : 0;
            for (var number = 0; number < MessagesPerPass; number++)
            {
                await round.Client.SendAsync(round.Topic, $"{pass}:{number}", static _ => { }, cancellationToken);
            }

            var held = await round.Client.ReceiveAsync(round.Receive(batch: 3, invisibleSeconds: 3), cancellationToken);
            var stored = await round.Operator.ReadAllAsync(round.Topic, cancellationToken);
            var finishedBefore = await FinishedAsync(round, cancellationToken);
            var (request, broughtBack) = TargetOf(round, pass, stored);
            await round.Operator.SeekAsync(request, cancellationToken);
            foreach (var message in held)
            {
                var code = await round.Client.AckAsync(round.Group, message, cancellationToken);
                round.Check(
                    code != Code.Ok || !broughtBack(message),
                    $"pass {pass}: a handle from before the seek finished {MessagePlace.Of(message)}, which it brings back");
            }

            await ConsumeAsync(round, pass, stored, broughtBack, request, finishedBefore, cancellationToken);
        }
    }

    // Which messages the group is given again, whatever became of them before.
    private static (SeekGroupRequest Request, Func<Message, bool> BroughtBack) TargetOf(
        FeatureRound round, int pass, IReadOnlyList<Message> stored)
    {
        var request = new SeekGroupRequest { Group = round.Group, Topic = round.Topic };
        var chosen = stored[round.Random.Next(stored.Count)];
        var place = MessagePlace.Of(chosen);
        switch (pass % 4)
        {
            case 0:
                request.End = QueueEnd.Earliest;
                return (request, static _ => true);
            case 1:
                (request.QueueId, request.Offset) = (place.Queue, place.Offset);
                return (
                    request,
                    message => MessagePlace.Of(message) is var other && other.Queue == place.Queue && other.Offset >= place.Offset);
            case 2:
                request.Time = chosen.SystemProperties.StoreTimestamp;
                return (request, message => message.SystemProperties.StoreTimestamp.CompareTo(chosen.SystemProperties.StoreTimestamp) >= 0);
            default:
                request.End = QueueEnd.Latest;
                return (request, static _ => false);
        }
    }

    // Everything below these offsets was consumed, by queue.
    private static async Task<long[]> FinishedAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var offsets = new long[QueueCount];
        foreach (var queue in (await round.Operator.DescribeGroupAsync(round.Group, cancellationToken)).Queues)
        {
            offsets[queue.QueueId] = queue.CommittedOffset;
        }

        return offsets;
    }

    private static async Task ConsumeAsync(
        FeatureRound round,
        int pass,
        IReadOnlyList<Message> stored,
        Func<Message, bool> broughtBack,
        SeekGroupRequest request,
        long[] finishedBefore,
        CancellationToken cancellationToken)
    {
        var wanted = stored.Where(broughtBack).Select(MessagePlace.Of).ToHashSet();
        var acked = new HashSet<MessagePlace>();
        for (var isOver = false; !isOver;)
        {
            var (batch, isWhole) = await round.TryReceiveAsync(
                round.Client, round.Receive(batch: 32, invisibleSeconds: 3, waitSeconds: 0.2), cancellationToken);
            foreach (var message in batch)
            {
                var place = MessagePlace.Of(message);
                var mayCome = broughtBack(message)
                    || (request.HasQueueId && request.QueueId != place.Queue && place.Offset >= finishedBefore[place.Queue]);
                round.Check(mayCome, $"pass {pass}: {place} came, which lies before the place of the seek");
                round.Check(!acked.Contains(place), $"pass {pass}: {place} came again after its acknowledgement");
                if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
                {
                    acked.Add(place);
                }
            }

            isOver = batch.Count == 0 && isWhole && await round.Operator.LagAsync(round.Group, cancellationToken) == 0;
        }

        wanted.ExceptWith(acked);
        round.Check(wanted.Count == 0, $"pass {pass}: {string.Join(", ", wanted)} did not come again, and the group has finished all");
    }
}
