using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>Messages that are handed back again and again: attempts rise by one, and after the last one each is a dead letter,
/// once for every time that it was stored.</summary>
internal sealed class Retries : IFeature
{
    private const int MessageCount = 10;
    private const int AttemptsMax = 3;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(200);

    public string Name => "retry";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2 },
            new Group { Name = round.Group, MaxAttempts = AttemptsMax },
            cancellationToken);
        var sending = SendAsync(round, cancellationToken);
        var attempts = new Dictionary<(int Queue, long Offset), int>();
        var letters = new Dictionary<long, string>();
        while (!sending.IsCompleted || letters.Values.Distinct().Count() < await sending || letters.Count < attempts.Count)
        {
            foreach (var message in await round.Client.ReceiveAsync(round.Receive(invisibleSeconds: 5, waitSeconds: 0.5), cancellationToken))
            {
                Delivered(round, attempts, message.SystemProperties);
                await round.Client.GiveBackAsync(round.Group, message, Wait, cancellationToken);
            }

            await ReadLettersAsync(round, letters, cancellationToken);
        }

        round.Check(
            letters.Count == attempts.Count, $"{attempts.Count} messages were stored, {letters.Count} dead letters are there");
    }

    private static async Task<int> SendAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var count = 0;
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            await round.Client.SendAsync(round.Topic, $"{number}", static _ => { }, cancellationToken);
            count = number + 1;
        }

        return count;
    }

    private static void Delivered(
        FeatureRound round, Dictionary<(int Queue, long Offset), int> attempts, SystemProperties system)
    {
        var key = (system.QueueId, system.QueueOffset);
        var before = attempts.GetValueOrDefault(key);
        round.Check(
            system.DeliveryAttempt > before && system.DeliveryAttempt <= AttemptsMax,
            $"offset {key} came in attempt {system.DeliveryAttempt} after {before}, {AttemptsMax} are allowed");
        attempts[key] = system.DeliveryAttempt;
    }

    private static async Task ReadLettersAsync(
        FeatureRound round, Dictionary<long, string> letters, CancellationToken cancellationToken)
    {
        var topic = $"%DLQ%{round.Group}";
        IReadOnlyList<Message> batch;
        try
        {
            batch = await round.Client.ReceiveAsync(round.Receive(topic, batch: 32, waitSeconds: 0.1), cancellationToken);
        }
        catch (ChaosException)
        {
            // There is no such topic before the first of them.
            return;
        }

        foreach (var letter in batch)
        {
            letters[letter.SystemProperties.QueueOffset] = letter.SystemProperties.MessageId;
            await round.Client.AckAsync(round.Group, letter, cancellationToken);
        }
    }
}
