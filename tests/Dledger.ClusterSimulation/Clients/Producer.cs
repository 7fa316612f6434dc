using Dledger.Broker;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Messages;
using Dledger.Broker.Streaming;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Oracles;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// Sends one message after the other, each attempt under an id of its own; in runs with repeats what has an unknown outcome is
/// sent again as it was, until the outcome is known.
/// </summary>
internal sealed class Producer(SimulatedCluster cluster, string topic, SimulationRandom packing)
{
    private const int BatchCountMax = 12;

    private static readonly string Padding = new('x', 200);

    // What is compressed is drawn from a stream of its own.
    private readonly SimulationRandom _packing = packing;
    private InitProducerOutcome _numbers;
    private int _last;
    private int _queueId;

    /// <summary>What it will still send.</summary>
    public required int Remaining { get; set; }

    public async Task RunAsync()
    {
        while (true)
        {
            if (Remaining == 0)
            {
                await cluster.Calls.DelayAsync(cluster.Scenario.ElectionTimeout);
                continue;
            }

            await cluster.Calls.DelayAsync(cluster.Random.NextInterval(cluster.Scenario.ProduceInterval));
            if (await SendAsync())
            {
                Remaining--;
            }
        }
    }

    private async Task<bool> SendAsync()
    {
        if (cluster.Scenario.HasNumbers && _numbers.ProducerId == 0)
        {
            await InitAsync();
            return false;
        }

        var node = cluster.Calls.Choose();
        var isPacked = cluster.Scenario.IsStreamed && _packing.Chance(0.4);
        var sent = new List<Sent> { Next((int)cluster.Random.NextLogarithmic(1, cluster.Scenario.BodyBytesMax), isPacked) };
        for (var more = isPacked ? _packing.Next(6) : 0; more > 0; more--)
        {
            sent.Add(Next((int)_packing.NextLogarithmic(1, cluster.Scenario.BodyBytesMax), isPacked));
        }

        for (var mayBeStored = false; ;)
        {
            var outcome = await AppendAsync(node, [.. sent.Select(each => each.Draft)], isPacked);
            if (outcome is { Succeeded: true })
            {
                for (var i = 0; i < sent.Count; i++)
                {
                    cluster.Producing.Ack(sent[i].Draft.MessageId, sent[i].After, outcome.Messages[i]);
                }

                _last += sent.Count;
                return true;
            }

            CheckNumbers(sent[0].Draft.MessageId, outcome);
            if (outcome is null || ClientCalls.IsUnknown(outcome.Failure!.Value))
            {
                sent.ForEach(each => cluster.Producing.Unknown(each.Draft.MessageId));
                mayBeStored = true;
            }
            else if (!mayBeStored)
            {
                sent.ForEach(each => cluster.Producing.Reject(each.Draft.MessageId));
                return false;
            }

            if (!cluster.Scenario.HasRepeats)
            {
                return false;
            }

            // A batch grows while it waits to be repeated: then a part of it is new.
            if (isPacked && sent.Count < BatchCountMax && _packing.Chance(0.5))
            {
                sent.Add(Next((int)_packing.NextLogarithmic(1, cluster.Scenario.BodyBytesMax), isPacked));
            }

            await cluster.Calls.DelayAsync(cluster.Random.NextInterval(cluster.Scenario.ProduceInterval));
            node = cluster.Calls.Choose();
        }
    }

    // What is to be packed shrinks.
    private Sent Next(int bodyBytes, bool isPacked)
    {
        var (id, body, after) = cluster.Producing.Invoke(bodyBytes);
        var draft = new MessageDraft
        {
            Body = body,
            MessageId = id,
            Keys = cluster.Scenario.HasKeyIndex ? KeyIndexComparison.KeysOf(id) : [],
        };
        draft = cluster.Filters is null ? draft : FilterWorkload.Mark(draft);
        return new Sent(
            isPacked ? draft with { UserProperties = [.. draft.UserProperties, KeyValuePair.Create("padding", Padding)] } : draft,
            after);
    }

    // Null without an answer.
    private async Task<AppendOutcome?> AppendAsync(SimulatedNode node, MessageDraft[] drafts, bool isPacked)
    {
        ProducerSequence? sequence = cluster.Scenario.HasNumbers
            ? new ProducerSequence(_numbers.ProducerId, _numbers.Epoch, _last + 1)
            : null;
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node,
            broker => cluster.Scenario.IsStreamed && broker.FindTopic(topic) is { } known
                ? StreamAsync(broker, known, drafts, isPacked, sequence)
                : broker.AppendAsync(topic, drafts, sequence, CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcome!.Failure);
        }

        return isAnswered ? outcome : null;
    }

    // As a client does it that sends over a stream: it has encoded the records, and chosen the queue, by what it knows of the topic.
    private async ValueTask<AppendOutcome> StreamAsync(
        BrokerNode broker, TopicView known, MessageDraft[] drafts, bool isPacked, ProducerSequence? sequence)
    {
        _queueId = (_queueId + 1) % known.QueueCount;
        var isEncoded = MessageEncoder.TryEncode(drafts, known, _queueId, sequence, broker.Machine.Topics, out var buffer, out _);
        cluster.Checks.Check("I42", isEncoded, $"{drafts[0].MessageId} can be encoded");
        var records = buffer.Span.ToArray();
        buffer.Return();
        var outcome = isPacked
            ? await broker.AppendAsync(topic, Pack(records), drafts.Length, "", CancellationToken.None)
            : await broker.AppendAsync(topic, records, drafts.Length, "", CancellationToken.None);
        if (outcome.Failure is null)
        {
            cluster.Marks.Reach("record of a stream stored");
        }

        return outcome.Entries is { } entries ? AppendOutcome.Of(entries)
            : outcome.Failure is { } failure ? AppendOutcome.Of(failure)
            : AppendOutcome.Of([.. drafts.Select((_, index) => new AppendEntry(AnswerOf(known, outcome, index)))]);
    }

    private CompressedBatch Pack(byte[] records)
    {
        var compression = _packing.Chance(0.5) ? Compression.Lz4 : Compression.Zlib;
        var block = new byte[(records.Length * 2) + 64];
        var isPacked = CompressionCodec.TryCompress(compression, records, block, out var length);
        cluster.Checks.Check("I42", isPacked, $"{records.Length} bytes of records are compressed");
        return new CompressedBatch(compression, block.AsMemory(0, length), records.Length);
    }

    // The answer has the position of the first message; where the others are, the log knows, which is asked by their offsets.
    private AppendedMessage AnswerOf(TopicView known, BatchOutcome outcome, int index)
    {
        var offset = outcome.FirstOffset + index;
        var position = index == 0
            ? outcome.FirstPosition
            : cluster.Oracle.FindIn(known.Id, outcome.QueueId, offset.Value)?.Position ?? LogPosition.Zero;
        return new AppendedMessage(outcome.QueueId, offset, position, outcome.StoreTimeMicroseconds);
    }

    private async Task InitAsync()
    {
        var node = cluster.Calls.Choose();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.InitProducerAsync("", CancellationToken.None), cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcome.Failure);
            _numbers = outcome;
        }
    }

    // It sends one batch at a time and is never idle for long, so its numbers are always in order and known.
    private void CheckNumbers(string id, AppendOutcome? outcome) => cluster.Checks.Check(
        "I42",
        outcome?.Failure?.Error is not (BrokerError.SequenceOutOfOrder or BrokerError.ProducerUnknown or BrokerError.ProducerFenced),
        $"{id} with number {_last + 1} of producer {_numbers.ProducerId} was answered {outcome?.Failure}");

    private readonly record struct Sent(MessageDraft Draft, LogPosition After);
}
