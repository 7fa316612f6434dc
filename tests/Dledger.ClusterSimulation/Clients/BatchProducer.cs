using Dledger.Broker;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Messages;
using Dledger.Broker.Streaming;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// Sends batches of records that it encoded itself. What has an unknown outcome goes into the next batch, in another company: with more
/// behind it, only a part of it, or with some before it that are stored already.
/// </summary>
internal sealed class BatchProducer(SimulatedCluster cluster, StreamWorkload streams, int queueCount)
{
    private const int CountMax = 12;
    private const int BodyBytesMax = 300;
    private const int StoredMax = 5;

    private readonly List<MessageDraft> _stored = [];
    private readonly List<MessageDraft> _pending = [];
    private InitProducerOutcome _numbers;
    private int _storedCount;

    /// <summary>What it will still send.</summary>
    public required int Remaining { get; set; }

    public async Task RunAsync()
    {
        while (true)
        {
            var interval = Remaining == 0 ? cluster.Scenario.ElectionTimeout : 3 * cluster.Scenario.ProduceInterval;
            await cluster.Calls.DelayAsync(streams.Random.NextInterval(interval));
            if (Remaining == 0)
            {
                continue;
            }

            if (streams.Knowledge == BatchKnowledge.Numbers && _numbers.ProducerId == 0)
            {
                await InitAsync();
                continue;
            }

            await SendAsync();
        }
    }

    private async Task SendAsync()
    {
        var random = streams.Random;
        if (_pending.Count == 0 || random.Chance(0.5))
        {
            var fresh = Math.Min(Math.Max(1, Remaining - _pending.Count), 1 + random.Next(CountMax));
            while (fresh-- > 0 && _pending.Count < CountMax)
            {
                _pending.Add(streams.Batches.Invoke(1 + random.Next(BodyBytesMax)));
            }
        }

        // Some of what is stored, and what comes behind it.
        var before = streams.Knowledge != BatchKnowledge.None && random.Chance(0.25) ? random.Next(_stored.Count + 1) : 0;
        var count = random.Chance(0.3) ? 1 + random.Next(_pending.Count) : _pending.Count;
        MessageDraft[] batch = [.. _stored.TakeLast(before), .. _pending.Take(count)];
        if (before > 0)
        {
            cluster.Marks.Reach("batch of repeats and new messages");
        }

        var queueId = random.Next(queueCount);
        var node = cluster.Calls.Choose();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => AppendAsync(broker, batch, queueId, _storedCount - before + 1), cluster.Scenario.CallPatience);
        if (cluster.Trace.IsOn)
        {
            cluster.Trace.Line("batch", $"{batch[0].MessageId} to {batch[^1].MessageId}: {(isAnswered ? $"{outcome}" : "no answer")}");
        }

        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcome!.Failure);
            streams.Batches.CheckNumbers(outcome.Failure);
        }

        Note(batch, queueId, count, isAnswered ? outcome : null);
    }

    private void Note(MessageDraft[] batch, int queueId, int count, BatchOutcome? outcome)
    {
        if (outcome is { Failure: null })
        {
            streams.Batches.Acked(batch, queueId, outcome);
            cluster.Marks.Reach("record of a stream stored");
            _stored.AddRange(_pending.Take(count));
            _stored.RemoveRange(0, Math.Max(0, _stored.Count - StoredMax));
            _pending.RemoveRange(0, count);
            _storedCount += count;
            Remaining = Math.Max(0, Remaining - count);
        }
        else if (outcome is null || ClientCalls.IsUnknown(outcome.Failure!.Value))
        {
            streams.Batches.Unknown(batch);
        }
        else
        {
            streams.Batches.Refused(batch, isForgotten: streams.Knowledge == BatchKnowledge.None);
        }

        if (streams.Knowledge == BatchKnowledge.None)
        {
            _pending.Clear();
        }
    }

    private ValueTask<BatchOutcome> AppendAsync(BrokerNode broker, MessageDraft[] batch, int queueId, int firstNumber)
    {
        if (broker.FindTopic(SpanHistory.Topic) is not { } topic)
        {
            return new(BatchOutcome.Of(new BrokerFailure(BrokerError.TopicNotFound, "this node does not know the topic yet")));
        }

        ProducerSequence? sequence = streams.Knowledge == BatchKnowledge.Numbers
            ? new ProducerSequence(_numbers.ProducerId, _numbers.Epoch, firstNumber)
            : null;
        var isEncoded = MessageEncoder.TryEncode(batch, topic, queueId, sequence, broker.Machine.Topics, out var buffer, out _);
        cluster.Checks.Check("I77", isEncoded, $"{batch[0].MessageId} and those behind it can be encoded");
        var records = buffer.Span.ToArray();
        buffer.Return();
        return streams.Packing.Chance(0.5)
            ? broker.AppendAsync(
                SpanHistory.Topic, PackedMessages.Pack(cluster.Checks, streams.Packing, records), batch.Length, "", CancellationToken.None)
            : broker.AppendAsync(SpanHistory.Topic, records, batch.Length, "", CancellationToken.None);
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
}
