using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Routes;
using Dledger.Broker.StateMachine;
using Dledger.Storage.Records;

namespace Dledger.Broker.Transactions;

/// <summary>Begins and ends transactions for callers. Any thread; records are read and encoded on the caller's.</summary>
internal sealed class TransactionService(BrokerCalls calls)
{
    private readonly Lock _codecLock = new();
    private volatile TransactionIdCodec? _codec;

    /// <summary>Known once the cluster has its id, which every serving node's has.</summary>
    public TransactionIdCodec Codec
    {
        get
        {
            if (_codec is { } known)
            {
                return known;
            }

            lock (_codecLock)
            {
                return _codec ??= new TransactionIdCodec(calls.Log.ClusterId);
            }
        }
    }

    /// <summary>Null when the drafts may be one transaction, or are none.</summary>
    public static BrokerFailure? Check(IReadOnlyList<MessageDraft> drafts)
    {
        var isTransaction = drafts[0].Type == MessageType.Transaction;
        for (var i = 0; i < drafts.Count; i++)
        {
            var draft = drafts[i];
            if (draft.Type == MessageType.Transaction != isTransaction)
            {
                return BrokerFailure.Of(new Violation(
                    BrokenRule.Batch, "a batch is one transaction: either all of its messages are transactional or none is"));
            }

            if (isTransaction && (draft.MessageGroup is not null || draft.DeliverAtMicroseconds is not null))
            {
                return new BrokerFailure(
                    BrokerError.MessageTypeMismatch,
                    "a transactional message has neither a message group nor a delivery time");
            }
        }

        return null;
    }

    /// <summary>From the records of a checked batch to those of its transaction.</summary>
    public static byte[] EncodeHalves(ReadOnlySpan<byte> messages, IReadOnlyList<MessageDraft> drafts) =>
        TransactionEncoder.EncodeHalves(messages, drafts.Count, drafts[0].TransactionRecovery ?? TimeSpan.Zero);

    /// <summary>Tells the producer the transaction of its messages.</summary>
    public AppendOutcome Complete(AppendOutcome outcome, int topicId)
    {
        if (!outcome.Succeeded)
        {
            return outcome;
        }

        var id = Codec.Encode(calls.Log.Group.Value, topicId, outcome.Messages[0].Position.Value);
        return AppendOutcome.Of([.. outcome.Messages.Select(message => new AppendEntry(message with { TransactionId = id }))]);
    }

    /// <summary>
    /// Ends transactions: their messages become visible together, or all are discarded. Null on success, also on a repeat.
    /// </summary>
    public async ValueTask<BrokerFailure?> EndAsync(
        IReadOnlyList<string> transactionIds,
        TransactionResolution resolution,
        TransactionDecider decider,
        CancellationToken cancellationToken)
    {
        if (Read(transactionIds, out var ids) is { } invalid)
        {
            return invalid;
        }

        if (resolution is not (TransactionResolution.Commit or TransactionResolution.Rollback))
        {
            return null;
        }

        var decision = DecisionOf(resolution);
        var (open, failure) = await LocateAsync(ids, decision, cancellationToken);
        return failure is not null || open.Count == 0
            ? failure
            : await EndAsync(open, decision, decider, cancellationToken);
    }

    /// <summary>What <see cref="EndAsync(IReadOnlyList{string}, TransactionResolution, TransactionDecider, CancellationToken)"/> would
    /// answer.</summary>
    public async ValueTask<BrokerFailure?> CheckEndAsync(
        IReadOnlyList<string> transactionIds, TransactionResolution resolution, CancellationToken cancellationToken)
    {
        if (Read(transactionIds, out var ids) is { } invalid)
        {
            return invalid;
        }

        var decision = DecisionOf(resolution);
        return await calls.LookAsync(
            state => ids.Select(id => state.Transactions.Refuse(id, decision)).FirstOrDefault(refusal => refusal is not null),
            static failure => failure,
            cancellationToken);
    }

    /// <summary>Null when the text names a transaction of this cluster.</summary>
    public BrokerFailure? Read(string text, out long id)
    {
        // First: before a node serves it may not know its cluster, of which the key is made.
        id = 0;
        if (calls.CheckServing() is { } notServing)
        {
            return notServing;
        }

        if (string.IsNullOrWhiteSpace(text))
        {
            return new BrokerFailure(BrokerError.InvalidTransaction, "the transaction id is blank");
        }

        return Codec.TryDecode(text, out var raftGroup, out _, out id) && raftGroup == calls.Log.Group.Value
            ? null
            : new BrokerFailure(BrokerError.InvalidTransaction, "this is not a transaction id of this cluster");
    }

    /// <summary>Reads a stored half message; null when it cannot be read, or not now.</summary>
    public byte[]? ReadPart(in HalfPart part) => calls.Records.Read(part.Position, part.Size);

    private static TransactionDecision DecisionOf(TransactionResolution resolution) =>
        resolution == TransactionResolution.Commit ? TransactionDecision.Committed : TransactionDecision.RolledBack;

    private BrokerFailure? Read(IReadOnlyList<string> transactionIds, out List<long> ids)
    {
        ids = [];
        if (transactionIds.Count is 0 or > Limits.TransactionsAtOnceMax)
        {
            return BrokerFailure.Of(new Violation(
                BrokenRule.Batch,
                $"{transactionIds.Count} transactions are to be decided at once; 1 to {Limits.TransactionsAtOnceMax} are allowed"));
        }

        foreach (var text in transactionIds)
        {
            if (Read(text, out var id) is { } invalid)
            {
                return invalid;
            }

            if (!ids.Contains(id))
            {
                ids.Add(id);
            }
        }

        return null;
    }

    // A hint only, so without proof that this node still leads: apply decides.
    private async ValueTask<(IReadOnlyList<OpenTransaction> Open, BrokerFailure? Failure)> LocateAsync(
        List<long> ids, TransactionDecision decision, CancellationToken cancellationToken)
    {
        (IReadOnlyList<OpenTransaction> Open, BrokerFailure? Failure) Look(BrokerState state) =>
            ids.Select(id => state.Transactions.Refuse(id, decision)).FirstOrDefault(refusal => refusal is not null) is { } refused
                ? ([], refused)
                : ([.. ids.Select(state.Transactions.Find).OfType<HalfTransaction>().Select(OpenTransaction.Of)], null);

        var query = new StateQuery<(IReadOnlyList<OpenTransaction> Open, BrokerFailure? Failure)>(
            Look, static failure => ([], failure));
        if (!calls.Log.TryPost(query))
        {
            return ([], new BrokerFailure(BrokerError.Busy, "too many requests wait for the state machine"));
        }

        var found = await query.Task.WaitAsync(cancellationToken);
        return found.Failure is null && found.Open.Count > 0
            ? found
            : await calls.LookAsync(Look, static failure => ([], failure), cancellationToken);
    }

    private async ValueTask<BrokerFailure?> EndAsync(
        IReadOnlyList<OpenTransaction> open,
        TransactionDecision decision,
        TransactionDecider decider,
        CancellationToken cancellationToken)
    {
        var writer = new ByteWriter(256);
        var count = 1;
        writer.Bytes(TransactionEncoder.EncodeEnd(
            new EndTransactionCommand(decision, decider, [.. open.Select(half => half.Id)])));
        if (decision == TransactionDecision.Committed)
        {
            var size = open.Sum(half => half.Parts.Sum(static part => (long)part.Size));
            if (open.Count > 1 && size > Limits.BatchRecordBytesMax)
            {
                return BrokerFailure.Of(new Violation(
                    BrokenRule.BodyTooLarge,
                    $"the messages of these transactions take {size} bytes together; the limit is {Limits.BatchRecordBytesMax}, "
                    + "because they become visible in one frame of the log"));
            }

            foreach (var half in open)
            {
                for (var i = 0; i < half.Parts.Count; i++)
                {
                    if (ReadPart(half.Parts[i]) is not { } bytes)
                    {
                        return new BrokerFailure(
                            BrokerError.Unavailable, "the record of a message of the transaction cannot be read; try again");
                    }

                    RecordView.TryParseUnchecked(bytes, out var record, out _);
                    writer.Bytes(TransactionEncoder.EncodeCopy(
                        record,
                        RecordKind.TransactionPublish,
                        half.TopicId,
                        half.QueueId,
                        new TransactionReference(half.Id, i),
                        places: RouteDecision.Decide(calls.Machine.Topics, record)));
                    count++;
                }
            }
        }

        return await calls.ProposeRecordsAsync<BrokerFailure?>(
            writer.Written, count, static reason => reason, cancellationToken);
    }
}
