using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.Quotas;
using Dledger.Broker.Topics;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Receiving;

/// <summary>Receives messages for callers. Any thread.</summary>
internal sealed class ReceiveService(BrokerCalls calls, PollTimer polls, ILogger logger)
{
    /// <summary>
    /// How often one call may look again when all that it got had a tag of equal hash and other text.
    /// </summary>
    private const int RoundsMax = 100;

    private readonly MismatchGuard _guard = new(calls, logger);

    public async ValueTask<ReceiveOutcome> ReceiveAsync(ReceiveRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Check(request) is { } violation)
        {
            return ReceiveOutcome.Of(BrokerFailure.Of(violation));
        }

        if (calls.CheckServing() is { } notServing)
        {
            return ReceiveOutcome.Of(notServing);
        }

        if (calls.Machine.Topics.Find(request.Topic) is not { } topic)
        {
            return ReceiveOutcome.Of(TopicService.NotFound(request.Topic));
        }

        var (named, failure) = await calls.Groups.FindOrCreateAsync(request.Group, cancellationToken);
        if (named is null)
        {
            return ReceiveOutcome.Of(failure!.Value);
        }

        calls.Machine.Clients.Seen(request.ClientId);
        (var group, failure) = await calls.Groups.JoinAsync(named, request.ClientId, cancellationToken);
        if (group is null)
        {
            return ReceiveOutcome.Of(failure!.Value);
        }

        var filters = calls.Machine.Filters.Of(group.Id, topic.Id);
        var (warning, refusal) = await _guard.AdmitAsync(request, group, topic, filters, cancellationToken);
        return refusal is { } refused
            ? ReceiveOutcome.Of(refused)
            : await ReceiveAsync(request, group, topic, filters, warning, cancellationToken);
    }

    private static Violation? Check(ReceiveRequest request)
    {
        if ((Names.CheckGroup(request.Group) ?? Names.CheckTopic(request.Topic)) is { } name)
        {
            return name;
        }

        if (!request.AutoRenew && MessageRules.CheckReceiveInvisible(request.InvisibleDuration) is { } invisible)
        {
            return invisible;
        }

        return request.AttemptId is { } attempt && Encoding.UTF8.GetByteCount(attempt) > Limits.AttemptIdBytesMax
            ? new Violation(
                BrokenRule.AttemptId, $"the attempt id is longer than {Limits.AttemptIdBytesMax} UTF-8 bytes")
            : null;
    }

    private async ValueTask<ReceiveOutcome> ReceiveAsync(
        ReceiveRequest request,
        GroupView group,
        TopicView topic,
        GroupFilters filters,
        string? warning,
        CancellationToken cancellationToken)
    {
        var reader = new DeliveryReader(calls.Records, calls.Log.Group.Value, calls.Codec, logger);
        var deadline = polls.DeadlineAfter(request.LongPoll);
        for (var round = 0; round < RoundsMax || polls.IsAhead(deadline); round++)
        {
            var operation = MakeOperation(request, group, topic, filters, deadline);
            var grant = await RunAsync(operation, deadline, group, topic, cancellationToken);
            if (grant.Scan is { } scan)
            {
                grant = await ScanAsync(scan, request, group, topic, filters, reader, cancellationToken);
                if (grant.Failure is null && grant.Messages.Count == 0)
                {
                    continue;
                }
            }

            if (grant.Failure is { } failure)
            {
                return ReceiveOutcome.Of(failure);
            }

            if (grant.Messages.Count == 0)
            {
                return ReceiveOutcome.Of([], warning);
            }

            var arena = request.ReturnsRecords ? new RecordArena(BytesOf(grant)) : null;
            var mismatches = new List<DeliveryReference>();
            var withheld = new List<DeliveryReference>();
            var expired = new List<DeliveryReference>();
            var batches = new List<(int First, PackedBatch Batch)>();
            var messages = reader.Read(
                grant,
                topic.Name,
                group.Id,
                topic.Id,
                request.Filter,
                group.Fifo,
                mismatches,
                withheld,
                expired,
                calls.Options.Defect == SeededDefect.LifetimeByWallClock ? polls.NowMicroseconds : calls.Log.LogTimeNow,
                arena,
                request.Unpacks,
                batches);

            // Where another client may want it, it is not finished for the group.
            if (filters.AreMixed)
            {
                GiveBack(group, topic, mismatches);
            }
            else
            {
                FinishUnseen(UnseenReason.Filter, group, topic, mismatches);
            }

            GiveBack(group, topic, withheld);
            await EndExpiredAsync(group, topic, expired, cancellationToken);
            if (messages.Count > 0)
            {
                return ReceiveOutcome.Of(messages, warning, arena, batches);
            }

            arena?.Return();
            if (mismatches.Count + expired.Count == 0)
            {
                // They are leased, and come again when the lease ends, perhaps from a node that can read them.
                return ReceiveOutcome.Of(new BrokerFailure(
                    BrokerError.Unavailable, "the records of the messages cannot be read; see the log of this node"));
            }
        }

        return ReceiveOutcome.Of([], warning);
    }

    private static long BytesOf(ReceiveGrant grant)
    {
        long bytes = 0;
        for (var i = 0; i < grant.Messages.Count; i++)
        {
            bytes += grant.Messages[i].Size;
        }

        return bytes;
    }

    // The apply loop said which records to look at; they are read here, and what they are goes back to it.
    private async ValueTask<ReceiveGrant> ScanAsync(
        ScanGrant scan,
        ReceiveRequest request,
        GroupView group,
        TopicView topic,
        GroupFilters filters,
        DeliveryReader reader,
        CancellationToken cancellationToken)
    {
        try
        {
            var judge = new RecordScan(reader, topic.Name, request.Filter, filters.Current, scan.Dedup, calls.Options.Defect);
            var verdict = judge.Judge(scan);
            var operation = MakeOperation(request, group, topic, filters, deadline: 0, verdict);
            var grant = await RunAsync(operation, deadline: 0, group, topic, cancellationToken);

            // A filter looks at the record again when it is delivered; the key was asked for only here.
            return verdict.HasKeys && verdict.Unreadable.Count > 0 ? grant with { Unreadable = verdict.Unreadable } : grant;
        }
        finally
        {
            // Ended by the verdict already, unless something went wrong on the way.
            scan.Abandon();
        }
    }

    private ReceiveOperation MakeOperation(
        ReceiveRequest request,
        GroupView group,
        TopicView topic,
        GroupFilters filters,
        long deadline,
        ScanVerdict? verdict = null)
    {
        var invisible = request.InvisibleDuration.Ticks / TimeSpan.TicksPerMicrosecond;
        return new ReceiveOperation
        {
            GroupId = group.Id,
            TopicId = topic.Id,
            Filter = request.Filter,
            Lites = topic.IsLite ? calls.Machine.Lites.Of(group.Id, topic.Id, request.ClientId) : null,
            GroupFilters = filters,
            Verdict = verdict,
            BatchSize = Math.Clamp(request.BatchSize, 1, request.BatchSizeMax),
            Room = QuotaRoom.Unbounded with { Bytes = Math.Max(request.BytesMax, Limits.BatchRecordBytesMax) },
            InvisibleMicroseconds = request.AutoRenew ? RenewalSchedule.Term : invisible,
            AutoRenew = request.AutoRenew,
            ClientHash = IdentityHash.OfClient(request.ClientId),
            AttemptHash = string.IsNullOrEmpty(request.AttemptId)
                ? UInt128.Zero
                : IdentityHash.OfAttempt(request.ClientId, request.AttemptId),
            CanWait = verdict is null && polls.IsAhead(deadline),
        };
    }

    private async ValueTask<ReceiveGrant> RunAsync(
        ReceiveOperation operation,
        long deadline,
        GroupView group,
        TopicView topic,
        CancellationToken cancellationToken)
    {
        if (operation.CanWait)
        {
            polls.Add(operation, deadline);
        }

        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((ReceiveOperation)state!).Cancel(token), operation);
        try
        {
            if (!calls.Log.TryPost(operation))
            {
                return ReceiveGrant.Of(new BrokerFailure(
                    BrokerError.Busy, "too many requests wait for the state machine"));
            }

            var grant = await operation.Task;
            if (cancellationToken.IsCancellationRequested)
            {
                // Nobody will get these messages from here, so others may have them at once.
                grant.Scan?.Abandon();
                GiveBack(
                    group,
                    topic,
                    [.. grant.Messages.Select(
                        message => new DeliveryReference(message.QueueId, message.Offset, grant.DeliveryId))]);
                cancellationToken.ThrowIfCancellationRequested();
            }

            return grant;
        }
        finally
        {
            if (operation.CanWait)
            {
                polls.Remove(operation, deadline);
            }
        }
    }

    // What has lived too long is finished without delivery. A move that fails leaves its message leased: it comes up again.
    private async ValueTask EndExpiredAsync(
        GroupView group, TopicView topic, List<DeliveryReference> deliveries, CancellationToken cancellationToken)
    {
        if (group.Settings.Expiry == ExpiryMode.Drop)
        {
            FinishUnseen(UnseenReason.TimeToLive, group, topic, deliveries);
            return;
        }

        foreach (var delivery in deliveries)
        {
            await calls.DeadLetters.ForwardAsync(
                group.Name, topic.Name, group.Id, topic.Id, delivery, DeadLetterReason.Expired, cancellationToken);
        }
    }

    private void FinishUnseen(UnseenReason reason, GroupView group, TopicView topic, List<DeliveryReference> deliveries)
    {
        if (deliveries.Count > 0)
        {
            var record = ControlRecord.Encode(
                RecordKind.FinishUnseen, new FinishUnseenCommand(reason, group.Id, topic.Id, deliveries).Encode());
            calls.Log.TryPropose(new UnawaitedProposal(record, 1), out _);
        }
    }

    private void GiveBack(GroupView group, TopicView topic, List<DeliveryReference> deliveries)
    {
        if (deliveries.Count == 0)
        {
            return;
        }

        var records = new ByteWriter(deliveries.Count * 128);
        foreach (var delivery in deliveries)
        {
            var command = ChangeInvisibleCommand.OfChange(group.Id, topic.Id, delivery, 0, suspend: true);
            records.Bytes(ControlRecord.Encode(RecordKind.ChangeInvisible, command.Encode()));
        }

        calls.Log.TryPropose(new UnawaitedProposal(records.ToArray(), deliveries.Count), out _);
    }
}
