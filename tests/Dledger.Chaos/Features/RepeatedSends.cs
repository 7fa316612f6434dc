using System.Globalization;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;
using Dledger.Protocol.Producer.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Chaos.Features;

/// <summary>
/// A send that is repeated after an unknown outcome is stored once only if the producer numbers its messages or the topic has an id window
/// that still knows the id; a repeat is answered as the first send was. Delayed messages are known like others.
/// </summary>
internal sealed class RepeatedSends : IFeature
{
    private const int MessageCount = 40;
    private const int DelayedOf = 5;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(15);
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(800);

    public string Name => "repeated-send";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var numbered = $"{round.Topic}-numbered";
        await round.Client.CreateTopicAsync(
            new Topic
            {
                Name = round.Topic,
                QueueCount = 2,
                AcceptMessageTypes = { MessageType.Normal, MessageType.Delay },
                IdWindowTime = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)),
            },
            cancellationToken);
        await round.Client.CreateTopicAsync(new Topic { Name = numbered, QueueCount = 2 }, cancellationToken);
        var byId = SendByIdAsync(round, cancellationToken);
        var byNumber = SendByNumberAsync(round, numbered, cancellationToken);
        await Task.WhenAll(byId, byNumber);
        await Wait.UntilAsync(TimeSpan.FromSeconds(30), () => NothingWaitsAsync(round, cancellationToken), cancellationToken);
        await CheckOnceAsync(round, round.Topic, await byId, cancellationToken);
        await CheckOnceAsync(round, numbered, await byNumber, cancellationToken);
    }

    private static async Task<int> SendByIdAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var offsets = new List<long>();
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            var at = DateTime.UtcNow + Delay;
            var entry = await round.Client.SendAsync(round.Topic, $"{number}", message => Complete(message, number, at), cancellationToken);
            offsets.Add(entry.Offset);

            // Once more what is known, newest or older.
            var earlier = number % 2 == 0 ? number : round.Random.Next(number);
            var again = await round.Client.SendAsync(
                round.Topic, $"{earlier}", message => Complete(message, earlier, at), cancellationToken);
            round.Check(
                again.Offset == offsets[earlier] && again.MessageId == $"{earlier}",
                $"the repeat of {earlier} was answered with {again.MessageId} at {again.Offset}, the first with {offsets[earlier]}");
        }

        return offsets.Count;
    }

    private static void Complete(Message message, int number, DateTime at)
    {
        if (number % DelayedOf == 0)
        {
            message.SystemProperties.MessageType = MessageType.Delay;
            message.SystemProperties.DeliveryTimestamp = Timestamp.FromDateTime(at);
        }
    }

    private static async Task<int> SendByNumberAsync(FeatureRound round, string topic, CancellationToken cancellationToken)
    {
        var producer = await round.Client.AdministerAsync(
            (node, options) => node.Producers.InitProducerAsync(new InitProducerRequest(), options),
            answer => answer.Status,
            cancellationToken);
        var count = 0;
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            var first = await SendNumberAsync(round, topic, producer, number, cancellationToken);
            var again = await SendNumberAsync(round, topic, producer, number, cancellationToken);
            round.Check(first == again, $"number {number} was answered with offset {first}, its repeat with {again}");
            count = number + 1;
        }

        return count;
    }

    private static async Task<long> SendNumberAsync(
        FeatureRound round, string topic, InitProducerResponse producer, int number, CancellationToken cancellationToken)
    {
        var request = new SendMessageRequest
        {
            Messages =
            {
                new Message
                {
                    Topic = new Resource { Name = topic },
                    Body = ByteString.CopyFromUtf8($"{number}"),
                    SystemProperties = new SystemProperties
                    {
                        MessageId = $"{number}",
                        MessageType = MessageType.Normal,
                        BodyEncoding = Encoding.Identity,
                    },
                },
            },
        };
        var answer = await round.Client.CallAsync(
            async (node, options) =>
            {
                options.Headers!.Add("x-dledger-producer-id", producer.ProducerId.ToString(CultureInfo.InvariantCulture));
                options.Headers.Add("x-dledger-producer-epoch", producer.Epoch.ToString(CultureInfo.InvariantCulture));
                options.Headers.Add("x-dledger-sequence", (number + 1).ToString(CultureInfo.InvariantCulture));
                return await node.Messaging.SendMessageAsync(request, options);
            },
            response => response.Status,
            cancellationToken);
        return answer.Status.Code == Code.Ok
            ? answer.Entries[0].Offset
            : throw new ChaosException($"sending number {number}: {answer.Status.Code} {answer.Status.Message}");
    }

    private static async Task<bool> NothingWaitsAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var request = new ListTimersRequest { Selection = new TimerSelection { Topic = round.Topic } };
        var timers = await round.Client.AdministerAsync(
            (node, options) => node.Timers.ListTimersAsync(request, options), answer => answer.Status, cancellationToken);
        return timers.PendingCount == 0;
    }

    private static async Task CheckOnceAsync(FeatureRound round, string topic, int count, CancellationToken cancellationToken)
    {
        var stored = (await round.Operator.ReadAllAsync(topic, cancellationToken))
            .CountBy(message => message.Body.ToStringUtf8()).ToDictionary();
        for (var number = 0; number < count; number++)
        {
            var times = stored.GetValueOrDefault($"{number}");
            round.Check(times == 1, $"{number} is stored {times} times in {topic}");
        }
    }
}
