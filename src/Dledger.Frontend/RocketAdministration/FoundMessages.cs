using Dledger.Broker.Messages;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Messaging.Consuming;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>Stored messages that nobody received.</summary>
internal static class FoundMessages
{
    /// <summary>As a delivery, without the receipt handle and the attempt that it does not have.</summary>
    public static Wire.Message ToWire(
        DeliveredMessage message, Wire.Resource topic, ClientCall call, FrontendOptions options)
    {
        var wire = DeliveryEncoder.Encode(
            message,
            topic,
            ResourceNames.NamespaceOf(topic, call),
            options.FindNode(options.Self)?.ClientAddress ?? "");
        wire.SystemProperties.ClearReceiptHandle();
        wire.SystemProperties.ClearDeliveryAttempt();
        return wire;
    }
}
