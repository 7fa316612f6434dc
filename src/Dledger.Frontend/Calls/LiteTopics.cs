using Dledger.Broker;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Calls;

/// <summary>What a lite topic beside a receipt handle means: the handle itself says all, so it is only checked.</summary>
internal static class LiteTopics
{
    /// <summary>Null when a handle of this topic may come with this lite topic; an empty one is none.</summary>
    /// <remarks>No delivery of a topic of another type has one, so such a handle can never be good, and INVALID_RECEIPT_HANDLE is the
    /// only code after which clients give up instead of asking again each second.</remarks>
    public static Wire.Status? CheckHandle(BrokerNode broker, string topic, string liteTopic) =>
        liteTopic.Length == 0 || broker.FindTopic(topic) is null or { IsLite: true }
            ? null
            : StatusMapping.Status(
                Wire.Code.InvalidReceiptHandle,
                "the field 'lite_topic' is set, and no message of this topic has one: it is not of the type LITE");
}
