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
        ClientCall call, Wire.ReceiveMessageRequest request, FrontendOptions options, out ReceiveRequest read)
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

        if (request.MessageQueue?.Broker?.Name is { Length: > 0 } broker && broker != options.GroupName)
        {
            return StatusMapping.Status(
                Wire.Code.BadRequest, $"the broker of the queue must be '{options.GroupName}', as in the route");
        }

        if (read.AttemptId is { } attempt && System.Text.Encoding.UTF8.GetByteCount(attempt) > Limits.AttemptIdBytesMax)
        {
            return StatusMapping.Of(new Violation(
                BrokenRule.AttemptId, $"the field 'attempt_id' is longer than {Limits.AttemptIdBytesMax} bytes"));
        }

        var status = TryReadFilter(request.FilterExpression, out var filter);
        read = read with { Filter = filter };
        return status;
    }

    /// <summary>Null with the filter, or the status of the broken rule.</summary>
    public static Wire.Status? TryReadFilter(Wire.FilterExpression? expression, out TagFilter filter)
    {
        filter = TagFilter.All;
        if (expression?.Type == Wire.FilterType.Sql)
        {
            return string.IsNullOrWhiteSpace(expression.Expression)
                ? StatusMapping.Status(Wire.Code.IllegalFilterExpression, "the SQL filter expression is empty")
                : StatusMapping.Status(
                    Wire.Code.NotImplemented, "this version filters by tag only; use a filter expression of type TAG");
        }

        return TagFilter.TryParse(expression?.Expression, out filter, out var violation)
            ? null
            : StatusMapping.Of(violation);
    }
}
