using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>Messages that a consumer moves to the dead letters: each is there once and never comes again, however often the move
/// was asked for.</summary>
internal sealed class DeadLetterOnRequest : IFeature
{
    private const int MessageCount = 15;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(40);

    public string Name => "dead-letter";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2 }, new Group { Name = round.Group }, cancellationToken);
        var sending = SendAsync(round, cancellationToken);
        var moved = new HashSet<(int Queue, long Offset)>();
        var ids = new HashSet<string>();
        var idle = 0;
        while (!sending.IsCompleted || ids.Count < await sending || idle < 2)
        {
            var batch = await round.Client.ReceiveAsync(round.Receive(invisibleSeconds: 5), cancellationToken);
            idle = batch.Count == 0 ? idle + 1 : 0;
            foreach (var message in batch)
            {
                var system = message.SystemProperties;
                round.Check(
                    !moved.Contains((system.QueueId, system.QueueOffset)),
                    $"message {system.MessageId} came again after it had been moved");
                if (await MoveAsync(round, message, cancellationToken) == Code.Ok)
                {
                    moved.Add((system.QueueId, system.QueueOffset));
                    ids.Add(system.MessageId);
                }
            }
        }

        await CountAsync(round, moved.Count, cancellationToken);
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

    private static async Task<Code> MoveAsync(FeatureRound round, Message message, CancellationToken cancellationToken)
    {
        var request = new ForwardMessageToDeadLetterQueueRequest
        {
            Group = new Resource { Name = round.Group },
            Topic = message.Topic,
            ReceiptHandle = message.SystemProperties.ReceiptHandle,
            MessageId = message.SystemProperties.MessageId,
            DeliveryAttempt = message.SystemProperties.DeliveryAttempt,
            MaxDeliveryAttempts = 17,
        };
        var answer = await round.Client.CallAsync(
            async (node, options) => await node.Messaging.ForwardMessageToDeadLetterQueueAsync(request, options),
            response => response.Status,
            cancellationToken);
        return answer.Status.Code;
    }

    private static async Task CountAsync(FeatureRound round, int expected, CancellationToken cancellationToken)
    {
        var letters = new HashSet<(int Queue, long Offset)>();
        for (var idle = 0; idle < 2;)
        {
            var batch = await round.Client.ReceiveAsync(round.Receive($"%DLQ%{round.Group}", batch: 32), cancellationToken);
            idle = batch.Count == 0 ? idle + 1 : 0;
            foreach (var letter in batch)
            {
                letters.Add((letter.SystemProperties.QueueId, letter.SystemProperties.QueueOffset));
                await round.Client.AckAsync(round.Group, letter, cancellationToken);
            }
        }

        round.Check(letters.Count == expected, $"{expected} messages were moved, {letters.Count} dead letters are there");
    }
}
