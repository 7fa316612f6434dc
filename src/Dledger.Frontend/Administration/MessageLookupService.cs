using Dledger.Broker;
using Dledger.Broker.Lookups;
using Dledger.Broker.Traces;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;
using Wire = Dledger.Protocol.Admin.V1;

namespace Dledger.Frontend.Administration;

/// <summary>Finds and explains stored messages. Any node answers; the leader looks.</summary>
public sealed class MessageLookupService : MessageService.MessageServiceBase
{
    private const int CountDefault = 32;
    private const long HistoryBytesDefault = 64L << 20;
    private const long BodyBytesMax = 4L << 20;

    private readonly BrokerNode _broker;
    private readonly CallGuard _guard;
    private readonly LeaderCall<FindMessagesRequest, FindMessagesResponse> _find;
    private readonly LeaderCall<FindOffsetRequest, FindOffsetResponse> _findOffset;
    private readonly LeaderCall<ExplainMessageRequest, ExplainMessageResponse> _explain;

    internal MessageLookupService(BrokerNode broker, CallGuard guard)
    {
        _broker = broker;
        _guard = guard;
        _find = new(
            "FindMessages", true, FindAsync, (c, n, r, o) => c.Messages(n).FindMessagesAsync(r, o), s => new() { Status = s });
        _findOffset = new(
            "FindOffset", true, FindOffsetAsync, (c, n, r, o) => c.Messages(n).FindOffsetAsync(r, o), s => new() { Status = s });
        _explain = new(
            "ExplainMessage", true, ExplainAsync, (c, n, r, o) => c.Messages(n).ExplainMessageAsync(r, o), s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<FindMessagesResponse> FindMessages(FindMessagesRequest request, ServerCallContext context) =>
        _guard.RunAsync(_find, request, context);

    /// <inheritdoc/>
    public override Task<FindOffsetResponse> FindOffset(FindOffsetRequest request, ServerCallContext context) =>
        _guard.RunAsync(_findOffset, request, context);

    /// <inheritdoc/>
    public override Task<ExplainMessageResponse> ExplainMessage(ExplainMessageRequest request, ServerCallContext context) =>
        _guard.RunAsync(_explain, request, context);

    private async ValueTask<LocalOutcome<FindMessagesResponse>> FindAsync(
        FindMessagesRequest request, CancellationToken cancellationToken)
    {
        var count = request.MaxCount == 0 ? CountDefault : request.MaxCount;
        var isById = request.MessageId.Length > 0;
        var outcome = isById || request.Key.Length > 0
            ? await _broker.FindMessagesAsync(
                new KeyQuery(request.Topic, isById ? request.MessageId : request.Key, isById)
                {
                    FromMicroseconds = request.FromTime is null ? 0 : WireTime.ToMicroseconds(request.FromTime),
                    ToMicroseconds = request.ToTime is null ? long.MaxValue : WireTime.ToMicroseconds(request.ToTime),
                    CountMax = count,
                },
                cancellationToken)
            : await _broker.ReadMessagesAsync(
                new MessagePlace(request.Topic, request.QueueId, new QueueOffset(Math.Max(0, request.QueueOffset))),
                count,
                cancellationToken);
        if (outcome.Failure is { } failure)
        {
            return failure;
        }

        var response = new FindMessagesResponse { Status = StatusMapping.AdminOk(), HasMore = outcome.HasMore };
        long bytes = 0;
        foreach (var message in outcome.Messages)
        {
            // What does not fit into one answer is asked for by itself.
            bytes += request.WithBody ? message.Body.Length : 0;
            if (bytes > BodyBytesMax && response.Messages.Count > 0)
            {
                response.HasMore = true;
                break;
            }

            response.Messages.Add(StoredMessages.ToWire(message, request.WithBody));
        }

        response.NotSearched.AddRange(outcome.Gaps.Select(ToWire));
        return response;
    }

    private async ValueTask<LocalOutcome<FindOffsetResponse>> FindOffsetAsync(
        FindOffsetRequest request, CancellationToken cancellationToken)
    {
        var time = request.Time is null ? 0 : WireTime.ToMicroseconds(request.Time);
        var (offset, failure) = await _broker.FindOffsetAsync(request.Topic, request.QueueId, time, cancellationToken);
        return failure is { } reason
            ? reason
            : new FindOffsetResponse { Status = StatusMapping.AdminOk(), QueueOffset = offset.Value };
    }

    private async ValueTask<LocalOutcome<ExplainMessageResponse>> ExplainAsync(
        ExplainMessageRequest request, CancellationToken cancellationToken)
    {
        var trace = await _broker.ExplainMessageAsync(
            new TraceQuery(request.Topic, request.MessageId, request.QueueId, new QueueOffset(Math.Max(0, request.QueueOffset)))
            {
                Group = request.Group.Length == 0 ? null : request.Group,
                HistoryFrom = new LogPosition(Math.Max(0, request.HistoryFrom)),
                HistoryBytesMax = request.HistoryBytesMax == 0 ? HistoryBytesDefault : request.HistoryBytesMax,
            },
            cancellationToken);
        if (trace.Failure is { } failure)
        {
            return failure;
        }

        var response = new ExplainMessageResponse
        {
            Status = StatusMapping.AdminOk(),
            Message = StoredMessages.ToWire(trace.Message!, withBody: false),
            State = (Wire.MessageState)trace.State,
            Sentence = trace.Sentence,
            HasOthers = trace.HasOthers,
            HistoryEnd = trace.HistoryEnd.Value,
            HistoryComplete = trace.IsHistoryComplete,
        };
        response.NotSearched.AddRange(trace.Gaps.Select(ToWire));
        response.Groups.AddRange(trace.Groups.Select(group => new Wire.GroupTrace
        {
            Group = group.Group,
            State = (Wire.TraceState)group.State,
            Attempts = group.Attempts,
            Until = StoredMessages.TimeOf(group.UntilMicroseconds),
            Client = group.Client,
            MessagesAhead = group.MessagesAhead,
            Sentence = group.Sentence,
        }));
        response.History.AddRange(trace.History.Select(happened => new Wire.TraceEvent
        {
            Kind = (Wire.TraceEventKind)happened.Kind,
            Time = StoredMessages.TimeOf(happened.Microseconds),
            LogPosition = happened.Position.Value,
            Group = happened.Group,
            Attempt = happened.Attempt,
            Client = happened.Client,
            Until = StoredMessages.TimeOf(happened.UntilMicroseconds),
            Sentence = happened.Sentence,
        }));
        return response;
    }

    private static PositionRange ToWire(Storage.Keys.PositionRange range) =>
        new() { Start = range.Start.Value, End = range.End.Value };
}
