using System.Collections.Concurrent;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Client.Producing;
using Dledger.Client.Streaming;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>
/// Streams of the .NET client: what a numbered producer sends is stored once, where its receipt says, and in order; a group that settles by
/// spans is given all of it and nothing again that it acknowledged; a reader without a group sees every message once, in order. In two of
/// three rounds the producer compresses.
/// </summary>
internal sealed class Streams : IFeature
{
    private const int SendCount = 80;
    private const int BatchMax = 6;
    private const int GroupCount = 3;
    private const int QueueCount = 2;
    private const int ConsumerCount = 2;
    private const int BodyRepeats = 60;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(15);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Invisible = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    public string Name => "stream";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = QueueCount, AcceptMessageTypes = { MessageType.Normal, MessageType.Fifo } },
            new Group { Name = round.Group, MaxAttempts = 100 },
            cancellationToken);
        await using var channel = new DledgerChannel(new DledgerChannelOptions
        {
            Addresses = round.Client.Addresses,
            ClientId = $"stream-{round.Topic}",
            RequestTimeout = TimeSpan.FromSeconds(3),
            RetryTimeout = Patience,
        });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tally = new SpanTally(round);
        var consumers = Enumerable.Range(0, ConsumerCount).Select(i => ConsumeAsync(round, channel, tally, i, stop.Token)).ToArray();
        var receipts = await SendAsync(round, channel, cancellationToken);
        round.Check(
            await Wait.UntilAsync(
                Patience, async () => await round.Operator.LagAsync(round.Group, cancellationToken) == 0, cancellationToken),
            "the group did not finish all messages");
        await stop.CancelAsync();
        await Task.WhenAll(consumers);
        tally.Check();
        await CheckStoredAsync(round, channel, receipts, tally, cancellationToken);
    }

    // Batches, and single messages of message groups that gather by themselves. All are in flight while the leader dies.
    private static async Task<IReadOnlyDictionary<string, long>> SendAsync(
        FeatureRound round, DledgerChannel channel, CancellationToken cancellationToken)
    {
        var receipts = new ConcurrentDictionary<string, long>();
        var compression = (BatchCompression)round.Random.Next(3);
        await using var producer = new StreamProducer(channel, new StreamProducerOptions { Compression = compression });
        var sends = new List<Task>();
        await foreach (var number in round.NumbersAsync(SendCount, Pace, cancellationToken))
        {
            if (number % 2 == 0)
            {
                var count = 1 + round.Random.Next(BatchMax);
                var batch = Enumerable.Range(0, count).Select(i => NewMessage(round.Topic, $"b:{number}:{i}")).ToList();
                sends.Add(NoteAsync(round, receipts, batch, producer.SendAsync(batch, cancellationToken)));
            }
            else
            {
                var group = number % GroupCount;
                var message = NewMessage(round.Topic, $"g{group}:{number}") with { MessageGroup = $"g{group}" };
                sends.Add(NoteAsync(round, receipts, message, producer.SendAsync(message, cancellationToken)));
            }
        }

        await Task.WhenAll(sends);
        return receipts;
    }

    private static OutgoingMessage NewMessage(string topic, string id) =>
        new(topic, System.Text.Encoding.UTF8.GetBytes(BodyOf(id))) { MessageId = id };

    // Long enough, and alike enough, that several of them are worth compressing.
    private static string BodyOf(string id) => string.Join('/', Enumerable.Repeat(id, BodyRepeats));

    private static async Task NoteAsync(
        FeatureRound round, ConcurrentDictionary<string, long> receipts, IReadOnlyList<OutgoingMessage> batch, Task<BatchReceipt> send)
    {
        try
        {
            var receipt = await send;
            for (var i = 0; i < batch.Count; i++)
            {
                receipts[batch[i].MessageId!] = receipt.OffsetOf(i);
            }
        }
        catch (DledgerException failure)
        {
            round.Check(false, $"{batch[0].MessageId} was not sent: {failure.Message}");
        }
    }

    private static async Task NoteAsync(
        FeatureRound round, ConcurrentDictionary<string, long> receipts, OutgoingMessage message, Task<SendReceipt> send)
    {
        try
        {
            receipts[message.MessageId!] = (await send).Offset;
        }
        catch (DledgerException failure)
        {
            round.Check(false, $"{message.MessageId} was not sent: {failure.Message}");
        }
    }

    private static async Task ConsumeAsync(
        FeatureRound round, DledgerChannel channel, SpanTally tally, int number, CancellationToken cancellationToken)
    {
        var random = new Random(round.Topic.Length + number);
        await using var consumer = new StreamConsumer(
            channel,
            round.Group,
            round.Topic,
            new StreamConsumerOptions { BufferBytesMax = 64 << 10, BatchCountMax = 16, InvisibleDuration = Invisible });
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var delivery = await consumer.ReceiveAsync(cancellationToken);
                foreach (var message in delivery)
                {
                    var text = System.Text.Encoding.UTF8.GetString(message.Body.Span);
                    round.Check(text == BodyOf(message.MessageId), $"{message.MessageId} came with the body of {text}");
                    tally.Delivered(message);
                }

                await SettleAsync(consumer, delivery, tally, random, cancellationToken);
            }
            catch (DledgerException)
            {
                // Refused: the lease was over. Or the stream has ended, and nobody knows: what was not acknowledged comes again.
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    // As a whole, one by one, after a renewal, in another attempt, or not at all.
    private static async Task SettleAsync(
        StreamConsumer consumer, StreamDelivery delivery, SpanTally tally, Random random, CancellationToken cancellationToken)
    {
        switch (random.Next(10))
        {
            case 0:
                return;
            case 1:
                await consumer.RetryAsync(delivery, delivery[random.Next(delivery.Count)], RetryDelay, cancellationToken);
                return;
            case 2 or 3:
                foreach (var message in delivery)
                {
                    tally.AckInvoked(message);
                    await consumer.AckAsync(delivery, message, cancellationToken);
                    tally.Acked(message);
                }

                return;
            case 4:
                await consumer.RenewAsync(delivery, Invisible, cancellationToken);
                break;
        }

        foreach (var message in delivery)
        {
            tally.AckInvoked(message);
        }

        await consumer.AckAsync(delivery, cancellationToken);
        foreach (var message in delivery)
        {
            tally.Acked(message);
        }
    }

    private static async Task CheckStoredAsync(
        FeatureRound round,
        DledgerChannel channel,
        IReadOnlyDictionary<string, long> receipts,
        SpanTally tally,
        CancellationToken cancellationToken)
    {
        var stored = new List<(string Id, MessagePlace Place)>();
        for (var queue = 0; queue < QueueCount; queue++)
        {
            stored.AddRange(await ReadAsync(round, channel, queue, cancellationToken));
        }

        var byId = stored.ToLookup(message => message.Id, message => message.Place);
        foreach (var (id, offset) in receipts)
        {
            round.Check(
                byId[id].Count() == 1 && byId[id].First().Offset == offset,
                $"{id} was acked at offset {offset} and is stored at {string.Join(", ", byId[id])}");
        }

        var unknown = stored.Where(message => !receipts.ContainsKey(message.Id)).Select(message => message.Id).ToList();
        round.Check(unknown.Count == 0, $"{string.Join(", ", unknown)} are stored without a receipt");
        foreach (var group in stored.Where(message => message.Id[0] == 'g').GroupBy(message => message.Id.Split(':')[0]))
        {
            var numbers = group.Select(message => int.Parse(message.Id.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture));
            round.Check(numbers.SequenceEqual(numbers.Order()), $"message group {group.Key} is stored as {string.Join(", ", numbers)}");
        }

        foreach (var batch in stored.Where(message => message.Id[0] == 'b').GroupBy(message => message.Id.Split(':')[1]))
        {
            var places = batch.Select(message => message.Place).ToList();
            round.Check(
                places.Zip(places.Skip(1)).All(pair => pair.First.Queue == pair.Second.Queue && pair.First.Offset + 1 == pair.Second.Offset),
                $"batch {batch.Key} is stored at {string.Join(", ", places)}");
        }

        round.Check(
            tally.Places.ToHashSet().SetEquals(stored.Select(message => message.Place)),
            $"the group was given {tally.Places.Count} messages of {stored.Count}");
    }

    // The whole of a queue, which nobody writes to any more.
    private static async Task<List<(string Id, MessagePlace Place)>> ReadAsync(
        FeatureRound round, DledgerChannel channel, int queue, CancellationToken cancellationToken)
    {
        var messages = new List<(string Id, MessagePlace Place)>();
        var end = (await round.Operator.DescribeTopicAsync(round.Topic, cancellationToken)).Queues.Single(each => each.QueueId == queue).MaxOffset;
        await using var reader = new QueueReader(channel, round.Topic, queue, offset: 0);
        while (messages.Count < end)
        {
            foreach (var message in await reader.ReadAsync(cancellationToken))
            {
                round.Check(message.Offset == messages.Count, $"queue {queue} was read at {message.Offset} where {messages.Count} comes next");
                messages.Add((message.MessageId, new MessagePlace(message.QueueId, message.Offset)));
            }
        }

        return messages;
    }
}
