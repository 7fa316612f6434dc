using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.Streaming;
using Dledger.Broker.Topics;
using Dledger.Broker.Transactions;
using Dledger.Storage.Disks;

namespace Dledger.Broker.Messages;

/// <summary>Appends messages for callers. Any thread; records are encoded on the caller's.</summary>
internal sealed class ProduceService(BrokerCalls calls)
{
    private const int LiteTriesMax = 3;

    private readonly ConcurrentDictionary<int, StrongBox<int>> _nextQueueByTopic = new();
    private readonly SeededOffsets? _seededOffsets =
        calls.Options.Defect == SeededDefect.QueueOffsetAtAppend ? new SeededOffsets(calls.Machine) : null;

    // What is known at once is answered without a task; only what waits for the log has a state of its own.
    public ValueTask<AppendOutcome> AppendAsync(
        string topicName,
        IReadOnlyList<MessageDraft> drafts,
        ProducerSequence? sequence,
        string clientId,
        CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<AppendOutcome>(cancellationToken);
        }

        if ((Names.CheckTopic(topicName) ?? MessageRules.Check(drafts) ?? ProducerRules.Check(sequence, drafts.Count)) is { } violation)
        {
            return new(AppendOutcome.Of(BrokerFailure.Of(violation)));
        }

        if ((calls.CheckServing() ?? CheckSpace()) is { } refusal)
        {
            return new(AppendOutcome.Of(refusal));
        }

        return calls.Machine.Topics.Find(topicName) is { } topic
            ? AppendAsync(topic, drafts, sequence, clientId, cancellationToken)
            : CreateAndAppendAsync(topicName, drafts, sequence, clientId, cancellationToken);
    }

    private async ValueTask<AppendOutcome> CreateAndAppendAsync(
        string topicName,
        IReadOnlyList<MessageDraft> drafts,
        ProducerSequence? sequence,
        string clientId,
        CancellationToken cancellationToken)
    {
        var (topic, failure) = await calls.Topics.FindOrCreateAsync(topicName, cancellationToken);
        return topic is null
            ? AppendOutcome.Of(failure!.Value)
            : await AppendAsync(topic, drafts, sequence, clientId, cancellationToken);
    }

    private ValueTask<AppendOutcome> AppendAsync(
        TopicView topic,
        IReadOnlyList<MessageDraft> drafts,
        ProducerSequence? sequence,
        string clientId,
        CancellationToken cancellationToken)
    {
        if ((CheckTypes(topic, drafts) ?? TransactionService.Check(drafts) ?? CheckNumbers(drafts, sequence)
                ?? CheckBand(topic, drafts) ?? CheckDelays(drafts))
            is { } mismatch)
        {
            return new(AppendOutcome.Of(mismatch));
        }

        return topic.Lites is null
            ? AppendAsync(topic, ChooseQueue(topic, drafts), drafts, sequence, clientId, false, cancellationToken)
            : AppendLiteAsync(topic, drafts, sequence, clientId, cancellationToken);
    }

    /// <summary>
    /// Appends records that a client encoded to the queue that they name. What passes the check is proposed before the first wait, so calls
    /// that follow each other are stored in their order.
    /// </summary>
    public ValueTask<BatchOutcome> AppendAsync(
        string topicName, ReadOnlyMemory<byte> records, int count, string clientId, CancellationToken cancellationToken) =>
        AppendAsync(topicName, records, default, null, count, clientId, cancellationToken);

    /// <summary>The same of records that are compressed as a whole: they stay so where nothing of them has to be changed.</summary>
    public ValueTask<BatchOutcome> AppendAsync(
        string topicName, CompressedBatch packed, int count, string clientId, CancellationToken cancellationToken) =>
        packed.Unpack(out var records) is { } broken
            ? new(BatchOutcome.Of(broken))
            : AppendAsync(topicName, records.Memory, records, packed, count, clientId, cancellationToken);

    private async ValueTask<BatchOutcome> AppendAsync(
        string topicName,
        ReadOnlyMemory<byte> records,
        RecordBuffer unpacked,
        CompressedBatch? packed,
        int count,
        string clientId,
        CancellationToken cancellationToken)
    {
        try
        {
            if ((calls.CheckServing() ?? CheckSpace()) is { } notAccepting)
            {
                return BatchOutcome.Of(notAccepting);
            }

            if (calls.Machine.Topics.Find(topicName) is not { } topic)
            {
                return BatchOutcome.Of(TopicService.NotFound(topicName));
            }

            if (RecordBatch.Check(records.Span, count, topic, out var batch) is { } broken)
            {
                return BatchOutcome.Of(broken);
            }

            if (!batch.IsPlain || !StreamedTopic.TakesRecords(topic) || _seededOffsets is not null)
            {
                return BatchOutcome.Of(await AppendAsync(
                    topicName, RecordDrafts.Decode(records, count), batch.Sequence, clientId, cancellationToken));
            }

            var quotas = calls.Machine.ProduceQuotas;
            if (quotas.TryTake(topic, clientId, count, records.Length) is { } exceeded)
            {
                return BatchOutcome.Of(exceeded);
            }

            var bytes = records.Length;
            var proposal = Encode(topic, records, ref unpacked, packed, count, calls.Options.Defect);
            if (!calls.Log.TryPropose(proposal, out var refused))
            {
                quotas.GiveBack(topic, clientId, count, bytes);
                proposal.Fail(refused);
            }

            return await proposal.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            unpacked.Return();
        }
    }

    // The proposal owns what it was made of: nothing of it is left to return.
    private static BatchProposal Encode(
        TopicView topic, ReadOnlyMemory<byte> records, ref RecordBuffer unpacked, CompressedBatch? packed, int count, SeededDefect defect)
    {
        var owned = unpacked;
        unpacked = default;
        if (packed is not { } batch
            || !StreamedTopic.KeepsCompression(topic)
            || !BatchEncoder.TryEncode(records.Span, count, batch, out var encoded))
        {
            return new BatchProposal(records, count, count, owned, defect);
        }

        owned.Return();
        return new BatchProposal(encoded.Memory, 1, count, encoded, defect);
    }

    private BrokerFailure? CheckSpace() =>
        calls.Machine.SpaceLevel >= DiskSpaceLevel.RefuseProduce
            ? new BrokerFailure(
                BrokerError.DiskFull,
                $"the disk of node {calls.Log.Status.Self}, which leads, is nearly full and takes no more messages; nothing was "
                + "stored. Free space, or let messages go earlier with storage.retentionTime or storage.retentionSize")
        : calls.Machine.IsMajorityFull
            ? new BrokerFailure(
                BrokerError.DiskFull,
                "the disks of so many nodes are nearly full that no majority has room for messages; nothing was stored. Free space on "
                + "them, or let messages go earlier with storage.retentionTime or storage.retentionSize")
        : null;

    // A lite topic may end between the look at its queue and the append; then it is made anew.
    private async ValueTask<AppendOutcome> AppendLiteAsync(
        TopicView topic,
        IReadOnlyList<MessageDraft> drafts,
        ProducerSequence? sequence,
        string clientId,
        CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            // What would be refused makes no lite topic: it is charged first. The size does not depend on the queue.
            var charged = 0;
            if (topic.Lites!.FindQueue(drafts[0].LiteTopic!) is null)
            {
                if (!MessageEncoder.TryEncode(drafts, topic, 0, sequence, calls.Machine.Topics, out var records, out var tooLarge))
                {
                    return AppendOutcome.Of(BrokerFailure.Of(tooLarge));
                }

                charged = records.Length;
                records.Return();
                if (calls.Machine.ProduceQuotas.TryTake(topic, clientId, drafts.Count, charged) is { } exceeded)
                {
                    return AppendOutcome.Of(exceeded);
                }
            }

            var (queueId, failure) = await calls.Lites.FindOrCreateAsync(topic, drafts[0].LiteTopic!, cancellationToken);
            if (failure is { } refused)
            {
                if (charged > 0)
                {
                    calls.Machine.ProduceQuotas.GiveBack(topic, clientId, drafts.Count, charged);
                }

                return AppendOutcome.Of(refused);
            }

            var outcome = await AppendAsync(topic, queueId, drafts, sequence, clientId, charged > 0, cancellationToken);
            if (outcome.Failure is not { Rule: BrokenRule.LiteTopic } || tries == LiteTriesMax)
            {
                return outcome;
            }
        }
    }

    private ValueTask<AppendOutcome> AppendAsync(
        TopicView topic,
        int queueId,
        IReadOnlyList<MessageDraft> drafts,
        ProducerSequence? sequence,
        string clientId,
        bool isCharged,
        CancellationToken cancellationToken)
    {
        if (calls.Options.Defect == SeededDefect.DuplicateFoundAtPropose
            && calls.Machine.State.Topics.Find(topic.Id)!.KnownIds.TryFind(MessageIdHash.Of(drafts[0].MessageId), out var first))
        {
            return new(AppendOutcome.Of([new AppendEntry(first with { IsDuplicate = true })]));
        }

        if (!MessageEncoder.TryEncode(drafts, topic, queueId, sequence, calls.Machine.Topics, out var records, out var tooLarge))
        {
            return new(AppendOutcome.Of(BrokerFailure.Of(tooLarge)));
        }

        var quotas = calls.Machine.ProduceQuotas;
        var bytes = records.Length;
        if (!isCharged && quotas.TryTake(topic, clientId, drafts.Count, bytes) is { } exceeded)
        {
            records.Return();
            return new(AppendOutcome.Of(exceeded));
        }

        if (drafts[0].Type == MessageType.Transaction)
        {
            var halves = TransactionService.EncodeHalves(records.Span, drafts);
            records.Return();
            records = RecordBuffer.Of(halves);
        }

        var proposal = new AppendProposal(records, drafts.Count)
        {
            SeededOffset = _seededOffsets?.Take(topic.Id, queueId, drafts.Count),
        };
        if (calls.Log.TryPropose(proposal, out var refused))
        {
            return CompleteAsync(proposal, topic, drafts, cancellationToken);
        }

        quotas.GiveBack(topic, clientId, drafts.Count, bytes);
        records.Return();
        return new(AppendOutcome.Of(FailureMapping.Of(refused)));
    }

    private async ValueTask<AppendOutcome> CompleteAsync(
        AppendProposal proposal, TopicView topic, IReadOnlyList<MessageDraft> drafts, CancellationToken cancellationToken)
    {
        var outcome = await proposal.WaitAsync(cancellationToken);
        return drafts[0].Type == MessageType.Transaction
            ? calls.Transactions.Complete(outcome, topic.Id)
            : WithHandles(topic, drafts, outcome);
    }

    // What a repeated half message costs is another transaction that nobody commits.
    private static BrokerFailure? CheckNumbers(IReadOnlyList<MessageDraft> drafts, ProducerSequence? sequence) =>
        sequence is not null && drafts[0].Type == MessageType.Transaction
            ? BrokerFailure.Of(new Violation(
                BrokenRule.Sequence, "a transactional message has no sequence; send it without the number of a producer"))
            : null;

    private BrokerFailure? CheckDelays(IReadOnlyList<MessageDraft> drafts)
    {
        for (var i = 0; i < drafts.Count; i++)
        {
            if (drafts[i].DeliverAtMicroseconds is not { } deliverAt)
            {
                continue;
            }

            if (MessageRules.CheckDeliveryTime(deliverAt, calls.Log.LogTimeNow) is { } violation)
            {
                return BrokerFailure.Of(violation);
            }

            if (calls.Machine.PendingCount >= Limits.PendingCountMax)
            {
                return new BrokerFailure(
                    BrokerError.Busy,
                    $"{Limits.PendingCountMax} delayed messages wait for their delivery, which is the limit; nothing was stored");
            }
        }

        return null;
    }

    // A repeat of a message that waits for its delivery time is answered as the first send was.
    private AppendOutcome WithHandles(TopicView topic, IReadOnlyList<MessageDraft> drafts, AppendOutcome outcome)
    {
        if (!HasWaiting(outcome))
        {
            return outcome;
        }

        return AppendOutcome.Of([.. outcome.Entries.Select((entry, i) =>
            (entry.Message.DeliverAtMicroseconds ?? (IsWaitingRepeat(entry.Message) ? drafts[i].DeliverAtMicroseconds : null))
                is { } deliverAt
            ? entry with
            {
                Message = entry.Message with
                {
                    QueueOffset = default,
                    DeliverAtMicroseconds = deliverAt,
                    RecallHandle = calls.Timers.HandleOf(topic.Id, deliverAt, entry.Message.Position, drafts[i].MessageId),
                },
            }
            : entry)]);
    }

    private static bool HasWaiting(AppendOutcome outcome)
    {
        for (var i = 0; i < outcome.Entries.Count; i++)
        {
            var message = outcome.Entries[i].Message;
            if (message.DeliverAtMicroseconds.HasValue || IsWaitingRepeat(message))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsWaitingRepeat(in AppendedMessage message) =>
        message is { IsDuplicate: true, QueueId: >= 0, QueueOffset.Value: < 0 };

    private static BrokerFailure? CheckTypes(TopicView topic, IReadOnlyList<MessageDraft> drafts)
    {
        for (var i = 0; i < drafts.Count; i++)
        {
            var draft = drafts[i];
            if (!topic.AcceptedTypes.Contains(draft.Type))
            {
                return new BrokerFailure(
                    BrokerError.MessageTypeMismatch,
                    $"the topic '{topic.Name}' accepts {topic.AcceptedTypes} messages, not {draft.Type} ones");
            }

            if (draft.MessageGroup != drafts[0].MessageGroup)
            {
                return BrokerFailure.Of(new Violation(
                    BrokenRule.Batch, "the messages of a batch go to one queue, so they have one message group"));
            }

            if (draft.LiteTopic != drafts[0].LiteTopic)
            {
                return BrokerFailure.Of(new Violation(
                    BrokenRule.Batch, "the messages of a batch go to one queue, so they have one lite topic"));
            }
        }

        return null;
    }

    private static BrokerFailure? CheckBand(TopicView topic, IReadOnlyList<MessageDraft> drafts)
    {
        if (topic.IsPriority)
        {
            for (var i = 1; i < drafts.Count; i++)
            {
                if (topic.BandOf(drafts[i].Priority) != topic.BandOf(drafts[0].Priority))
                {
                    return BrokerFailure.Of(new Violation(
                        BrokenRule.Batch, "the messages of a batch go to one queue, so they have one priority"));
                }
            }
        }

        return null;
    }

    // A message group keeps its queue for ever, which makes its order; everything else goes round.
    private int ChooseQueue(TopicView topic, IReadOnlyList<MessageDraft> drafts)
    {
        if (topic.IsPriority)
        {
            return topic.BandOf(drafts[0].Priority);
        }

        if (drafts[0].MessageGroup is { } group)
        {
            return MessageGroupHash.QueueOf(MessageGroupHash.Of(group), topic.QueueCount);
        }

        var next = _nextQueueByTopic.GetOrAdd(topic.Id, static _ => new StrongBox<int>(-1));
        return (int)((uint)Interlocked.Increment(ref next.Value) % (uint)topic.QueueCount);
    }
}
