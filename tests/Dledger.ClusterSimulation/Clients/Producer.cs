using Dledger.Broker;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Messages;
using Dledger.Broker.Topics;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// Sends one message after the other, each attempt under an id of its own; in runs with repeats what has an unknown outcome is
/// sent again as it was, until the outcome is known.
/// </summary>
internal sealed class Producer(SimulatedCluster cluster, string topic)
{
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
        var (id, body, after) = cluster.Producing.Invoke((int)cluster.Random.NextLogarithmic(1, cluster.Scenario.BodyBytesMax));
        var draft = new MessageDraft
        {
            Body = body,
            MessageId = id,
            Keys = cluster.Scenario.HasKeyIndex ? KeyIndexComparison.KeysOf(id) : [],
        };
        draft = cluster.Filters is null ? draft : FilterWorkload.Mark(draft);
        for (var mayBeStored = false; ;)
        {
            var outcome = await AppendAsync(node, draft);
            if (outcome is { Succeeded: true })
            {
                cluster.Producing.Ack(id, after, outcome.Messages[0]);
                _last++;
                return true;
            }

            CheckNumbers(id, outcome);
            if (outcome is null || ClientCalls.IsUnknown(outcome.Failure!.Value))
            {
                cluster.Producing.Unknown(id);
                mayBeStored = true;
            }
            else if (!mayBeStored)
            {
                cluster.Producing.Reject(id);
                return false;
            }

            if (!cluster.Scenario.HasRepeats)
            {
                return false;
            }

            await cluster.Calls.DelayAsync(cluster.Random.NextInterval(cluster.Scenario.ProduceInterval));
            node = cluster.Calls.Choose();
        }
    }

    // Null without an answer.
    private async Task<AppendOutcome?> AppendAsync(SimulatedNode node, MessageDraft draft)
    {
        ProducerSequence? sequence = cluster.Scenario.HasNumbers
            ? new ProducerSequence(_numbers.ProducerId, _numbers.Epoch, _last + 1)
            : null;
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node,
            broker => cluster.Scenario.IsStreamed && broker.FindTopic(topic) is { } known
                ? StreamAsync(broker, known, draft, sequence)
                : broker.AppendAsync(topic, [draft], sequence, CancellationToken.None),
            cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, outcome!.Failure);
        }

        return isAnswered ? outcome : null;
    }

    // As a client does it that sends over a stream: it has encoded the record, and chosen the queue, by what it knows of the topic.
    private async ValueTask<AppendOutcome> StreamAsync(
        BrokerNode broker, TopicView known, MessageDraft draft, ProducerSequence? sequence)
    {
        _queueId = (_queueId + 1) % known.QueueCount;
        var isEncoded = MessageEncoder.TryEncode([draft], known, _queueId, sequence, broker.Machine.Topics, out var buffer, out _);
        cluster.Checks.Check("I42", isEncoded, $"{draft.MessageId} can be encoded");
        var records = buffer.Span.ToArray();
        buffer.Return();
        var outcome = await broker.AppendAsync(topic, records, 1, "", CancellationToken.None);
        if (outcome.Failure is null)
        {
            cluster.Marks.Reach("record of a stream stored");
        }

        return outcome.Entries is { } entries ? AppendOutcome.Of(entries)
            : outcome.Failure is { } failure ? AppendOutcome.Of(failure)
            : AppendOutcome.Of([new AppendEntry(new AppendedMessage(
                outcome.QueueId, outcome.FirstOffset, outcome.FirstPosition, outcome.StoreTimeMicroseconds))]);
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

    // It sends one message at a time and is never idle for long, so its numbers are always in order and known.
    private void CheckNumbers(string id, AppendOutcome? outcome) => cluster.Checks.Check(
        "I42",
        outcome?.Failure?.Error is not (BrokerError.SequenceOutOfOrder or BrokerError.ProducerUnknown or BrokerError.ProducerFenced),
        $"{id} with number {_last + 1} of producer {_numbers.ProducerId} was answered {outcome?.Failure}");
}
