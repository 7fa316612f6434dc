using Dledger.Broker;
using Dledger.Broker.Letters;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Frontend.Administration;

/// <summary>What operators do with dead letters. Any node answers; the leader does it.</summary>
public sealed class DeadLetterAdministration : DeadLetterService.DeadLetterServiceBase
{
    private const int CountDefault = 100;
    private const long BodyBytesMax = 4L << 20;

    private readonly BrokerNode _broker;
    private readonly CallGuard _guard;
    private readonly LeaderCall<ListDeadLettersRequest, ListDeadLettersResponse> _list;
    private readonly LeaderCall<ReadDeadLettersRequest, ReadDeadLettersResponse> _read;
    private readonly LeaderCall<ResendDeadLettersRequest, ResendDeadLettersResponse> _resend;
    private readonly LeaderCall<PurgeDeadLettersRequest, PurgeDeadLettersResponse> _purge;

    internal DeadLetterAdministration(BrokerNode broker, CallGuard guard)
    {
        _broker = broker;
        _guard = guard;
        _list = new(
            "ListDeadLetters", true, ListAsync, (c, n, r, o) => c.DeadLetters(n).ListDeadLettersAsync(r, o), s => new() { Status = s });
        _read = new(
            "ReadDeadLetters", true, ReadAsync, (c, n, r, o) => c.DeadLetters(n).ReadDeadLettersAsync(r, o), s => new() { Status = s });

        // Repeated without harm: a letter that was sent again says so.
        _resend = new(
            "ResendDeadLetters", true, ResendAsync, (c, n, r, o) => c.DeadLetters(n).ResendDeadLettersAsync(r, o),
            s => new() { Status = s });
        _purge = new(
            "PurgeDeadLetters", true, PurgeAsync, (c, n, r, o) => c.DeadLetters(n).PurgeDeadLettersAsync(r, o),
            s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<ListDeadLettersResponse> ListDeadLetters(
        ListDeadLettersRequest request, ServerCallContext context) => _guard.RunAsync(_list, request, context);

    /// <inheritdoc/>
    public override Task<ReadDeadLettersResponse> ReadDeadLetters(
        ReadDeadLettersRequest request, ServerCallContext context) => _guard.RunAsync(_read, request, context);

    /// <inheritdoc/>
    public override Task<ResendDeadLettersResponse> ResendDeadLetters(
        ResendDeadLettersRequest request, ServerCallContext context) => _guard.RunAsync(_resend, request, context);

    /// <inheritdoc/>
    public override Task<PurgeDeadLettersResponse> PurgeDeadLetters(
        PurgeDeadLettersRequest request, ServerCallContext context) => _guard.RunAsync(_purge, request, context);

    private async ValueTask<LocalOutcome<ListDeadLettersResponse>> ListAsync(
        ListDeadLettersRequest request, CancellationToken cancellationToken)
    {
        var (letters, failure) = await _broker.ListDeadLettersAsync(
            request.Group.Length == 0 ? null : request.Group, cancellationToken);
        if (failure is { } reason)
        {
            return reason;
        }

        var response = new ListDeadLettersResponse { Status = StatusMapping.AdminOk() };
        response.Letters.AddRange(letters.Select(each => new DeadLetterSummary
        {
            Group = each.Group,
            OriginTopic = each.OriginTopic,
            Count = each.Count,
            ResentCount = each.ResentCount,
            Oldest = StoredMessages.TimeOf(each.OldestMicroseconds),
            Newest = StoredMessages.TimeOf(each.NewestMicroseconds),
        }));
        return response;
    }

    private async ValueTask<LocalOutcome<ReadDeadLettersResponse>> ReadAsync(
        ReadDeadLettersRequest request, CancellationToken cancellationToken)
    {
        var page = await _broker.ReadDeadLettersAsync(
            request.Group,
            new LetterPlace(request.QueueId, new QueueOffset(Math.Max(0, request.QueueOffset))),
            request.MaxCount == 0 ? CountDefault : request.MaxCount,
            cancellationToken);
        if (page.Failure is { } failure)
        {
            return failure;
        }

        var response = new ReadDeadLettersResponse
        {
            Status = StatusMapping.AdminOk(),
            NextQueueId = page.NextQueueId,
            NextQueueOffset = page.NextOffset.Value,
        };
        long bytes = 0;
        foreach (var letter in page.Letters)
        {
            bytes += request.WithBody ? letter.Message.Body.Length : 0;
            if (bytes > BodyBytesMax && response.Letters.Count > 0)
            {
                response.NextQueueOffset = letter.Message.QueueOffset.Value;
                break;
            }

            response.Letters.Add(StoredMessages.ToWire(letter, request.WithBody));
        }

        return response;
    }

    private async ValueTask<LocalOutcome<ResendDeadLettersResponse>> ResendAsync(
        ResendDeadLettersRequest request, CancellationToken cancellationToken)
    {
        var places = request.Letters.Select(place => new LetterPlace(place.QueueId, new QueueOffset(place.QueueOffset)));
        var (outcomes, failure) = await _broker.ResendDeadLettersAsync(
            request.Group, [.. places], new LetterResend(request.ToGroup, request.DryRun), cancellationToken);
        if (failure is { } reason)
        {
            return reason;
        }

        var response = new ResendDeadLettersResponse { Status = StatusMapping.AdminOk() };
        response.Outcomes.AddRange(outcomes.Select(outcome =>
            outcome is { } failed ? StatusMapping.AdminOf(failed) : StatusMapping.AdminOk()));
        return response;
    }

    private async ValueTask<LocalOutcome<PurgeDeadLettersResponse>> PurgeAsync(
        PurgeDeadLettersRequest request, CancellationToken cancellationToken)
    {
        var (count, failure) = await _broker.PurgeDeadLettersAsync(request.Group, request.DryRun, cancellationToken);
        return failure is { } reason
            ? reason
            : new PurgeDeadLettersResponse { Status = StatusMapping.AdminOk(), Count = count };
    }
}
