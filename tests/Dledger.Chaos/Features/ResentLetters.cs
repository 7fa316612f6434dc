using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Chaos.Features;

/// <summary>
/// A dead letter is sent to its origin topic again at most once, by however many operators and leaders; the letter itself stays.
/// </summary>
internal sealed class ResentLetters : IFeature
{
    private const int MessageCount = 24;
    private const int OperatorCount = 3;
    private const int PageSize = 10;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    public string Name => "resend";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        // A message is stored once, so what else is in the topic was sent again. No message of this group gets a second attempt.
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2, IdWindowTime = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)) },
            new Group { Name = round.Group, MaxAttempts = 1 },
            cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var consuming = ConsumeAsync(round, stop.Token);
        var sentAgain = Enumerable.Range(0, OperatorCount).Select(_ => new Dictionary<MessagePlace, string>()).ToArray();
        var count = 0;
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            await round.Client.SendAsync(round.Topic, $"{number}", static _ => { }, cancellationToken);
            count = number + 1;
            if (number % 4 == 3)
            {
                await Task.WhenAll(sentAgain.Select(mine => ResendAsync(round, mine, cancellationToken)));
            }
        }

        // Until each message is a letter, and each operator was told that it was sent again.
        while (sentAgain.Any(mine => mine.Values.Distinct().Count() < count))
        {
            await Task.WhenAll(sentAgain.Select(mine => ResendAsync(round, mine, cancellationToken)));
            await Wait.ForAsync(Pace, cancellationToken);
        }

        await stop.CancelAsync();
        await consuming;
        await CheckAsync(round, count, [.. sentAgain.SelectMany(mine => mine.Keys).Distinct()], cancellationToken);
    }

    private static async Task ConsumeAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var moved = new HashSet<string>();
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                foreach (var message in await round.Client.ReceiveAsync(
                    round.Receive(invisibleSeconds: 2, waitSeconds: 0.3), cancellationToken))
                {
                    // The copy of a letter is done with at once.
                    if (moved.Add(message.SystemProperties.MessageId))
                    {
                        await round.Client.GiveBackAsync(round.Group, message, TimeSpan.Zero, cancellationToken);
                    }
                    else
                    {
                        await round.Client.AckAsync(round.Group, message, cancellationToken);
                    }
                }
            }
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or OperationCanceledException
            && cancellationToken.IsCancellationRequested)
        {
            // The round is over.
        }
    }

    // One look at all letters: those that this operator has no answer for yet are sent again, whoever else does the same.
    private static async Task ResendAsync(FeatureRound round, Dictionary<MessagePlace, string> mine, CancellationToken cancellationToken)
    {
        var letters = await round.Operator.ReadLettersAsync(round.Group, cancellationToken);
        foreach (var page in letters.Select(letter => letter.Message).Where(each => !mine.ContainsKey(PlaceOf(each))).Chunk(PageSize))
        {
            var request = new ResendDeadLettersRequest { Group = round.Group };
            request.Letters.AddRange(page.Select(each => new DeadLetterPlace { QueueId = each.QueueId, QueueOffset = each.QueueOffset }));
            var answer = await round.Client.AdministerAsync(
                (node, options) => node.Letters.ResendDeadLettersAsync(request, options), response => response.Status, cancellationToken);
            foreach (var (letter, outcome) in page.Zip(answer.Outcomes))
            {
                if (outcome.Code is AdminCode.AdminOk or AdminCode.AdminAlreadyExists)
                {
                    mine[PlaceOf(letter)] = letter.MessageId;
                }
            }
        }
    }

    // A copy whose receive was lost becomes a letter as well, which somebody may have sent again, or nobody.
    private static async Task CheckAsync(
        FeatureRound round, int count, IReadOnlyCollection<MessagePlace> told, CancellationToken cancellationToken)
    {
        var letters = (await round.Operator.ReadLettersAsync(round.Group, cancellationToken)).ToDictionary(letter => PlaceOf(letter.Message));
        foreach (var place in told)
        {
            round.Check(
                letters.TryGetValue(place, out var letter) && letter.Resent,
                $"an operator was told that letter {place} was sent again; it {(letter is null ? "is gone" : "does not say so")}");
        }

        var sentAgain = letters.Values.Where(letter => letter.Resent).CountBy(letter => letter.Message.MessageId).ToDictionary();
        var stored = (await round.Operator.ReadAllAsync(round.Topic, cancellationToken))
            .CountBy(message => message.SystemProperties.MessageId).ToDictionary();
        for (var number = 0; number < count; number++)
        {
            var (inTopic, again) = (stored.GetValueOrDefault($"{number}"), sentAgain.GetValueOrDefault($"{number}"));
            round.Check(
                again >= 1 && inTopic == 1 + again,
                $"{number} stands {inTopic} times in its topic: sent once, and {again} letters were sent again");
        }
    }

    private static MessagePlace PlaceOf(StoredMessage message) => new(message.QueueId, message.QueueOffset);
}
