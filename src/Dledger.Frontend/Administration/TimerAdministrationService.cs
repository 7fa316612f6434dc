using Dledger.Broker;
using Dledger.Broker.Timers;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Frontend.Administration;

/// <summary>The administration of delayed messages that wait. Any node answers; the leader knows.</summary>
public sealed class TimerAdministrationService : TimerAdminService.TimerAdminServiceBase
{
    private const int PageSizeDefault = 100;

    private readonly BrokerNode _broker;
    private readonly CallGuard _guard;
    private readonly LeaderCall<ListTimersRequest, TimersResponse> _list;
    private readonly LeaderCall<CancelTimersRequest, TimersResponse> _cancel;
    private readonly LeaderCall<MoveTimersRequest, TimersResponse> _move;

    internal TimerAdministrationService(BrokerNode broker, CallGuard guard)
    {
        _broker = broker;
        _guard = guard;
        _list = new("ListTimers", true, ListAsync, (c, n, r, o) => c.Timers(n).ListTimersAsync(r, o), s => new() { Status = s });

        // Not repeated: what a second try finds is less, and it would say so.
        _cancel = new(
            "CancelTimers", false, CancelAsync, (c, n, r, o) => c.Timers(n).CancelTimersAsync(r, o), s => new() { Status = s });
        _move = new("MoveTimers", false, MoveAsync, (c, n, r, o) => c.Timers(n).MoveTimersAsync(r, o), s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<TimersResponse> ListTimers(ListTimersRequest request, ServerCallContext context) =>
        _guard.RunAsync(_list, request, context);

    /// <inheritdoc/>
    public override Task<TimersResponse> CancelTimers(CancelTimersRequest request, ServerCallContext context) =>
        _guard.RunAsync(_cancel, request, context);

    /// <inheritdoc/>
    public override Task<TimersResponse> MoveTimers(MoveTimersRequest request, ServerCallContext context) =>
        _guard.RunAsync(_move, request, context);

    private static PendingSelection SelectionOf(TimerSelection? asked) => new()
    {
        Topic = asked?.Topic ?? "",
        MessageKey = asked is { MessageKey.Length: > 0 } ? asked.MessageKey : null,
        MessageId = asked is { MessageId.Length: > 0 } ? asked.MessageId : null,
        FromMicroseconds = asked?.From is { } from ? WireTime.ToMicroseconds(from) : null,
        UntilMicroseconds = asked?.Until is { } until ? WireTime.ToMicroseconds(until) : null,
    };

    private static int SizeOf(int asked) => asked == 0 ? PageSizeDefault : asked;

    private static string? PageOf(string asked) => asked.Length == 0 ? null : asked;

    private static LocalOutcome<TimersResponse> Answer(PendingPage page)
    {
        if (page.Failure is { } failure)
        {
            return failure;
        }

        var response = new TimersResponse
        {
            Status = StatusMapping.AdminOk(),
            NextPage = page.NextPage ?? "",
            PendingCount = page.PendingCount,
            ChangedCount = page.ChangedCount,
        };
        response.Timers.AddRange(page.Messages.Select(ToWire));
        return response;
    }

    private static Protocol.Admin.V1.Timer ToWire(PendingMessage message)
    {
        var wire = new Protocol.Admin.V1.Timer
        {
            MessageId = message.MessageId,
            Tag = message.Tag ?? "",
            DeliverAt = WireTime.ToTimestamp(message.DeliverAtMicroseconds),
            StoredAt = WireTime.ToTimestamp(message.StoreTimeMicroseconds),
            BodyBytes = message.BodyBytes,
            RecallHandle = message.RecallHandle,
            Unreadable = message.IsUnreadable,
        };
        wire.Keys.AddRange(message.Keys);
        return wire;
    }

    private async ValueTask<LocalOutcome<TimersResponse>> ListAsync(
        ListTimersRequest request, CancellationToken cancellationToken) => Answer(await _broker.ListPendingAsync(
            SelectionOf(request.Selection), SizeOf(request.PageSize), PageOf(request.Page), cancellationToken));

    private async ValueTask<LocalOutcome<TimersResponse>> CancelAsync(
        CancelTimersRequest request, CancellationToken cancellationToken) => Answer(await _broker.CancelPendingAsync(
            SelectionOf(request.Selection), SizeOf(request.PageSize), PageOf(request.Page), cancellationToken));

    private async ValueTask<LocalOutcome<TimersResponse>> MoveAsync(
        MoveTimersRequest request, CancellationToken cancellationToken) => request.DeliverAt is not { } deliverAt
        ? new BrokerFailure(BrokerError.InvalidArgument, "the field 'deliver_at' is not set")
        : Answer(await _broker.MovePendingAsync(
            SelectionOf(request.Selection),
            WireTime.ToMicroseconds(deliverAt),
            SizeOf(request.PageSize),
            PageOf(request.Page),
            cancellationToken));
}
