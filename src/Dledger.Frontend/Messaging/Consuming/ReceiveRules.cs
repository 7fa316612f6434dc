using Dledger.Broker.Filtering;
using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Frontend.Calls;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>Checks a receive and turns it into the broker's request.</summary>
internal static class ReceiveRules
{
    /// <summary>Null with the request, or the status of the first broken rule. The waiting time is left to the
    /// caller.</summary>
    public static Wire.Status? TryRead(
        ClientCall call, Wire.ReceiveMessageRequest request, FrontendOptions options, FilterCache filters, out ReceiveRequest read)
    {
        read = new ReceiveRequest
        {
            Group = ResourceNames.Of(request.Group, call),
            Topic = ResourceNames.Of(request.MessageQueue?.Topic, call),
            BatchSize = Math.Clamp(request.BatchSize, 1, Limits.ReceiveBatchMax),
            InvisibleDuration = request.InvisibleDuration is { } d ? WireTime.ToTimeSpan(d) : TimeSpan.Zero,
            AutoRenew = request.AutoRenew,
            ClientId = call.ClientId,
            AttemptId = request.HasAttemptId && request.AttemptId.Length > 0 ? request.AttemptId : null,
        };
        if (CallRules.CheckTopicAndGroup(call, read.Topic, read.Group) is { } violation)
        {
            return StatusMapping.Of(violation);
        }

        if (!request.AutoRenew && MessageRules.CheckReceiveInvisible(read.InvisibleDuration) is { } badInvisible)
        {
            return StatusMapping.Of(badInvisible);
        }

        if (request.LongPollingTimeout is { } poll && WireTime.ToTimeSpan(poll) < TimeSpan.Zero)
        {
            return StatusMapping.Status(Wire.Code.IllegalPollingTime, "the field 'long_polling_timeout' is negative");
        }

        // Lite consumers name a queue -1 of a broker that they made up: they read from no queue that they know.
        if (request.MessageQueue is { Id: >= 0, Broker.Name: { Length: > 0 } broker } && broker != options.GroupName)
        {
            return StatusMapping.Status(
                Wire.Code.BadRequest, $"the broker of the queue must be '{options.GroupName}', as in the route");
        }

        if (read.AttemptId is { } attempt && System.Text.Encoding.UTF8.GetByteCount(attempt) > Limits.AttemptIdBytesMax)
        {
            return StatusMapping.Of(new Violation(
                BrokenRule.AttemptId, $"the field 'attempt_id' is longer than {Limits.AttemptIdBytesMax} bytes"));
        }

        var status = TryReadFilter(request.FilterExpression, filters, out var filter);
        read = read with { Filter = filter };
        return status;
    }

    /// <summary>
    /// Null with the filter, or the status of the broken rule. A type that was not set means tags, as in RocketMQ.
    /// </summary>
    public static Wire.Status? TryReadFilter(
        Wire.FilterExpression? expression, FilterCache filters, out MessageFilter filter)
    {
        Violation violation;
        var isValid = expression?.Type switch
        {
            Wire.FilterType.Sql => filters.TryGet(expression.Expression, out filter, out violation),
            null or Wire.FilterType.Unspecified or Wire.FilterType.Tag =>
                MessageFilter.TryParseTags(expression?.Expression, out filter, out violation),
            _ => IsUnknown(expression.Type, out filter, out violation),
        };
        return isValid ? null : StatusMapping.Of(violation);
    }

    private static bool IsUnknown(Wire.FilterType type, out MessageFilter filter, out Violation violation)
    {
        filter = MessageFilter.All;
        violation = new Violation(
            BrokenRule.FilterExpression, $"the filter type {(int)type} is not known; it is TAG or SQL");
        return false;
    }
}
