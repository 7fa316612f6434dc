using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Client.Administration;

/// <summary>Lists, takes back and moves delayed messages that wait. Safe for any thread.</summary>
/// <remarks>Every call throws a <see cref="DledgerException"/> of a kind that says what became of it.</remarks>
public sealed class TimerAdminClient(DledgerChannel channel)
{
    /// <summary>A page of what waits.</summary>
    public Task<PendingTimerPage> ListAsync(
        PendingTimerSelection selection, int pageSize, string? page = null, CancellationToken cancellationToken = default)
    {
        var request = new ListTimersRequest { Selection = Encode(selection), PageSize = pageSize, Page = page ?? "" };
        return AskAsync(
            $"Listing delayed messages of topic '{selection.Topic}'",
            (timers, options) => timers.ListTimersAsync(request, options),
            cancellationToken);
    }

    /// <summary>Takes a page of it back.</summary>
    public Task<PendingTimerPage> CancelAsync(
        PendingTimerSelection selection, int pageSize, string? page = null, CancellationToken cancellationToken = default)
    {
        var request = new CancelTimersRequest { Selection = Encode(selection), PageSize = pageSize, Page = page ?? "" };
        return AskAsync(
            $"Cancelling delayed messages of topic '{selection.Topic}'",
            (timers, options) => timers.CancelTimersAsync(request, options),
            cancellationToken);
    }

    /// <summary>Gives a page of it another delivery time; one in the past delivers at once.</summary>
    public Task<PendingTimerPage> MoveAsync(
        PendingTimerSelection selection,
        DateTimeOffset deliverAt,
        int pageSize,
        string? page = null,
        CancellationToken cancellationToken = default)
    {
        var request = new MoveTimersRequest
        {
            Selection = Encode(selection),
            PageSize = pageSize,
            Page = page ?? "",
            DeliverAt = Timestamp.FromDateTimeOffset(deliverAt),
        };
        return AskAsync(
            $"Moving delayed messages of topic '{selection.Topic}'",
            (timers, options) => timers.MoveTimersAsync(request, options),
            cancellationToken);
    }

    private static TimerSelection Encode(PendingTimerSelection selection) => new()
    {
        Topic = selection.Topic,
        MessageKey = selection.Key ?? "",
        MessageId = selection.MessageId ?? "",
        From = selection.From is { } from ? Timestamp.FromDateTimeOffset(from) : null,
        Until = selection.Until is { } until ? Timestamp.FromDateTimeOffset(until) : null,
    };

    private Task<PendingTimerPage> AskAsync(
        string operation,
        Func<TimerAdminService.TimerAdminServiceClient, CallOptions, AsyncUnaryCall<TimersResponse>> call,
        CancellationToken cancellationToken) => channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var answer = await call(node.Timers, options).ConfigureAwait(false);
                return ResponseStatus.Judge(answer.Status, operation) is { } failure ? throw failure : Read(answer);
            },
            cancellationToken);

    private static PendingTimerPage Read(TimersResponse answer) => new(
        [
            .. answer.Timers.Select(timer => new PendingTimer(
                timer.MessageId, timer.DeliverAt.ToDateTimeOffset(), timer.RecallHandle)
            {
                Keys = timer.Keys,
                Tag = timer.Tag.Length == 0 ? null : timer.Tag,
                StoredAt = timer.StoredAt.ToDateTimeOffset(),
                BodyBytes = timer.BodyBytes,
                IsUnreadable = timer.Unreadable,
            }),
        ],
        answer.NextPage.Length == 0 ? null : answer.NextPage,
        answer.PendingCount,
        answer.ChangedCount);
}
