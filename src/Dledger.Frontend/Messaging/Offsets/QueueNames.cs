using Dledger.Frontend.Calls;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Offsets;

/// <summary>Checks of calls that name one queue. Null means that all is well.</summary>
internal static class QueueNames
{
    /// <summary>For calls without a group.</summary>
    public static Wire.Status? Check(ClientCall call, Wire.MessageQueue? queue, FrontendOptions options) =>
        CallRules.CheckTopic(call, ResourceNames.Of(queue?.Topic, call)) is { } violation
            ? StatusMapping.Of(violation)
            : CheckBroker(queue, options);

    /// <summary>For calls of a group.</summary>
    public static Wire.Status? Check(
        ClientCall call, Wire.Resource? group, Wire.MessageQueue? queue, FrontendOptions options) =>
        CallRules.CheckTopicAndGroup(call, ResourceNames.Of(queue?.Topic, call), ResourceNames.Of(group, call))
            is { } violation
            ? StatusMapping.Of(violation)
            : CheckBroker(queue, options);

    private static Wire.Status? CheckBroker(Wire.MessageQueue? queue, FrontendOptions options) =>
        queue?.Broker?.Name is { Length: > 0 } broker && broker != options.GroupName
            ? StatusMapping.Status(
                Wire.Code.BadRequest, $"the broker of the queue must be '{options.GroupName}', as in the route")
            : null;
}
