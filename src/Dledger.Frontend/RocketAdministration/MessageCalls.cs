using Dledger.Broker;
using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Key = Apache.Rocketmq.V2.ListMessageRequest.SearchKeyOneofCase;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>Finds stored messages by id, by key or by time, a page at a time.</summary>
internal sealed class MessageCalls(BrokerNode broker, FrontendOptions options, Arguments arguments, TimeProvider time)
{
    private const int CountDefault = 32;

    /// <summary>As many as one look-up gives.</summary>
    private const int CountMax = 1_000;

    /// <summary>Bodies in one answer, so that it fits into the 4 MiB that clients take.</summary>
    private const long BodyBytesMax = 3L << 20;

    public BrokerFailure? Check(ClientCall call, Wire.ListMessageRequest request) =>
        arguments.Deployment(request.DeploymentName)
            ?? Arguments.Topic(call, request.Topic)
            ?? CheckKey(request)
            ?? Arguments.Time("begin_timestamp", request.BeginTimestamp)
            ?? Arguments.Time("end_timestamp", request.EndTimestamp)
            ?? CheckRange(request)
            ?? CheckPage(request)
            ?? CheckPlace(request);

    public async ValueTask<LocalOutcome<Wire.ListMessageResponse>> ListAsync(
        ClientCall call, Wire.ListMessageRequest request, CancellationToken cancellationToken)
    {
        var scroll = request.ScrollId.Length > 0 && ScrollPlace.TryParse(request.ScrollId, out var place) ? place : (ScrollPlace?)null;
        var page = new Page(
            ResourceNames.Of(request.Topic, call),
            request.BeginTimestamp is { } begin ? Math.Max(0, WireTime.ToMicroseconds(begin)) : 0,
            scroll?.EndMicroseconds ?? EndOf(request),
            CountOf(request),
            scroll);
        var (messages, next, failure) = request.SearchKeyCase is Key.MessageId or Key.MessageKey
            ? await FindAsync(request, page, cancellationToken)
            : await ReadAsync(request, page, cancellationToken);
        if (failure is { } refused)
        {
            return refused;
        }

        var response = new Wire.ListMessageResponse { Status = StatusMapping.Ok, ScrollId = next?.ToString() ?? "" };
        response.Messages.AddRange(messages.Select(message => FoundMessages.ToWire(message, request.Topic, call, options)));
        return response;
    }

    private static BrokerFailure? CheckKey(Wire.ListMessageRequest request) => request.SearchKeyCase switch
    {
        Key.LiteTopic when request.LiteTopic.Length == 0 => Arguments.Bad("the field 'lite_topic' is empty"),
        Key.LiteTopic when request.HasQueueId => Arguments.Bad(
            "the fields 'lite_topic' and 'queue_id' are both set; a lite topic is one queue of its topic"),
        Key.LiteTopic when Arguments.LiteTopic(request.LiteTopic, 1) is { } illegal => illegal,
        Key.Subscription => Arguments.Absent(
            "the field 'subscription' is set, and a group keeps no messages of its own: give 'message_id', 'message_key' or a time range of the "
                + "topic; 'dledger group replay --dry-run' counts what a group has finished, 'dledger dlq show' lists its dead letters, and "
                + "'dledger message explain' tells where one message stands for it"),
        Key.MessageId when request.MessageId.Length == 0 => Arguments.Bad("the field 'message_id' is empty"),
        Key.MessageKey when request.MessageKey.Length == 0 => Arguments.Bad("the field 'message_key' is empty"),
        Key.None or Key.LiteTopic when request.BeginTimestamp is null || request.EndTimestamp is null => Arguments.Bad(
            "without 'message_id' and 'message_key' the fields 'begin_timestamp' and 'end_timestamp' must both be set"),
        _ => null,
    };

    private static BrokerFailure? CheckRange(Wire.ListMessageRequest request) =>
        request.BeginTimestamp is { } begin && request.EndTimestamp is { } end
        && WireTime.ToMicroseconds(begin) > WireTime.ToMicroseconds(end)
            ? Arguments.Bad("the field 'begin_timestamp' lies behind 'end_timestamp'")
            : null;

    private static BrokerFailure? CheckPage(Wire.ListMessageRequest request) =>
        request.MaxMessageNums is < 0 or > CountMax
            ? Arguments.Bad($"the field 'max_message_nums' is {request.MaxMessageNums}; 1 to {CountMax}, or 0 for {CountDefault}, are allowed")
        : request.HasPageSize && request.PageSize is < 1 or > CountMax
            ? Arguments.Bad($"the field 'page_size' is {request.PageSize}; 1 to {CountMax} are allowed")
        : request.HasPageNum && request.PageNum < 1
            ? Arguments.Bad($"the field 'page_num' is {request.PageNum}; pages count from 1 on")
        : request.HasPageNum && request.ScrollId.Length > 0
            ? Arguments.Bad("the fields 'page_num' and 'scroll_id' are both set; only one of them may say where to go on")
        : request.ScrollId.Length > 0 && !IsPlaceOf(request)
            ? Arguments.Bad("the field 'scroll_id' was not given for such a request; leave it out to begin anew")
        : null;

    private static bool IsPlaceOf(Wire.ListMessageRequest request) =>
        ScrollPlace.TryParse(request.ScrollId, out var place)
        && place.IsByKey == request.SearchKeyCase is Key.MessageId or Key.MessageKey;

    private BrokerFailure? CheckPlace(Wire.ListMessageRequest request) =>
        request.BrokerName.Length > 0 && request.BrokerName != options.GroupName
            ? Arguments.Bad($"the field 'broker_name' is '{Arguments.Printable(request.BrokerName)}'; there is one broker, '{options.GroupName}'")
        : request.HasQueueId && request.QueueId < 0
            ? Arguments.Bad($"the field 'queue_id' is {request.QueueId}; queues count from 0 on")
        : null;

    private static int CountOf(Wire.ListMessageRequest request) => request.HasPageSize ? request.PageSize
        : request.MaxMessageNums == 0 ? CountDefault
        : request.MaxMessageNums;

    // Without an end: as things are now. The end itself belongs to the range.
    private long EndOf(Wire.ListMessageRequest request) => request.EndTimestamp is { } end
        ? WireTime.ToMicroseconds(end) + 1
        : ((time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond) + 1;

    // Newest first. Pages are cut out of one look-up, which gives so many and no more.
    private async ValueTask<(IReadOnlyList<DeliveredMessage> Messages, ScrollPlace? Next, BrokerFailure? Failure)> FindAsync(
        Wire.ListMessageRequest request, Page page, CancellationToken cancellationToken)
    {
        var skip = page.From is { } place ? place.Number
            : request.HasPageNum ? Math.Min((long)(request.PageNum - 1) * page.Count, int.MaxValue)
            : 0;
        var wanted = skip + page.Count;
        if (wanted > CountMax)
        {
            return ([], null, Arguments.Bad($"the page ends at message {wanted}; by key {CountMax} are found at most: narrow the time range"));
        }

        var isById = request.SearchKeyCase == Key.MessageId;
        var found = await broker.FindMessagesAsync(
            new KeyQuery(page.Topic, isById ? request.MessageId : request.MessageKey, isById)
            {
                FromMicroseconds = page.BeginMicroseconds,
                ToMicroseconds = page.EndMicroseconds,
                CountMax = (int)wanted,
            },
            cancellationToken);
        var rest = found.Messages.Skip((int)skip).ToArray();
        var fitting = TakeFitting(rest);
        return (
            fitting,
            fitting.Length < rest.Length || found.HasMore
                ? ScrollPlace.ByKey((int)skip + fitting.Length, page.EndMicroseconds)
                : null,
            found.Failure);
    }

    // Queue after queue, each in the order of its offsets.
    private async ValueTask<(IReadOnlyList<DeliveredMessage> Messages, ScrollPlace? Next, BrokerFailure? Failure)> ReadAsync(
        Wire.ListMessageRequest request, Page page, CancellationToken cancellationToken)
    {
        int? queueId = request.HasQueueId ? request.QueueId : null;
        if (request.SearchKeyCase == Key.LiteTopic)
        {
            if (broker.FindTopic(page.Topic) is not { } topic)
            {
                return ([], null, new BrokerFailure(BrokerError.TopicNotFound, $"the topic '{page.Topic}' does not exist"));
            }

            if (Arguments.FindLite(broker, topic, request.LiteTopic, out var liteQueue) is { } noLite)
            {
                return ([], null, noLite);
            }

            queueId = liteQueue;
        }

        var (ranges, failure) = await broker.FindRangesAsync(
            page.Topic,
            queueId,
            page.BeginMicroseconds,
            page.EndMicroseconds,
            cancellationToken);
        if (failure is not null)
        {
            return ([], null, failure);
        }

        var skip = request.HasPageNum ? (request.PageNum - 1L) * page.Count : 0;
        var messages = new List<DeliveredMessage>();
        foreach (var range in ranges)
        {
            if (page.From is { } place && range.QueueId < place.Number)
            {
                continue;
            }

            var from = page.From is { } here && range.QueueId == here.Number ? Math.Max(range.From, here.Offset) : range.From;
            var skipped = Math.Min(skip, Math.Max(0, range.To - from));
            (skip, from) = (skip - skipped, from + skipped);
            while (from < range.To)
            {
                if (messages.Count == page.Count)
                {
                    return (messages, ScrollPlace.ByTime(range.QueueId, from, page.EndMicroseconds), null);
                }

                var read = await broker.ReadMessagesAsync(
                    new MessagePlace(page.Topic, range.QueueId, new QueueOffset(from)),
                    (int)Math.Min(page.Count - messages.Count, range.To - from),
                    cancellationToken);
                if (read.Failure is not null || read.Messages.Count == 0)
                {
                    // Given up meanwhile, or why not.
                    failure = read.Failure;
                    break;
                }

                var before = messages.Count;
                messages.AddRange(read.Messages.TakeWhile(message => message.QueueOffset.Value < range.To));
                var fitting = TakeFitting(messages);
                from = messages.Count == before ? range.To : messages[^1].QueueOffset.Value + 1;
                if (fitting.Length < messages.Count)
                {
                    return (
                        fitting,
                        ScrollPlace.ByTime(range.QueueId, messages[fitting.Length].QueueOffset.Value, page.EndMicroseconds),
                        null);
                }
            }

            if (failure is not null)
            {
                return ([], null, failure);
            }
        }

        return (messages, null, null);
    }

    private static DeliveredMessage[] TakeFitting(IReadOnlyList<DeliveredMessage> messages)
    {
        long bytes = 0;
        return [.. messages.TakeWhile((message, index) => (bytes += message.Body.Length) <= BodyBytesMax || index == 0)];
    }

    private readonly record struct Page(
        string Topic, long BeginMicroseconds, long EndMicroseconds, int Count, ScrollPlace? From);
}
