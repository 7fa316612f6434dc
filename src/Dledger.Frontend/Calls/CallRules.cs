using Dledger.Broker.Naming;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Calls;

/// <summary>Checks that many RPCs share. Null means that all is well; the first failure is answered.</summary>
internal static class CallRules
{
    private static readonly Violation ClientIdRequired = new(
        BrokenRule.ClientId,
        $"the metadata '{ClientHeaders.ClientId}' is missing, blank or longer than 256 characters");

    /// <summary>Every RPC needs to know the client.</summary>
    public static Violation? CheckClient(ClientCall call) => call.HasClientId ? null : ClientIdRequired;

    public static Violation? CheckTopic(ClientCall call, string topic) => CheckClient(call) ?? Names.CheckTopic(topic);

    public static Violation? CheckTopicAndGroup(ClientCall call, string topic, string group) =>
        CheckClient(call) ?? Names.CheckTopic(topic) ?? Names.CheckGroup(group);

    /// <summary>Route queries name the access point; it must have an address.</summary>
    public static Wire.Status? CheckAccessPoint(Wire.Endpoints? endpoints) =>
        endpoints is null
        || endpoints.Addresses.Count == 0
        || endpoints.Addresses.Any(address => string.IsNullOrWhiteSpace(address.Host))
            ? StatusMapping.Status(
                Wire.Code.IllegalAccessPoint, "the field 'endpoints' has no address, or one without host")
            : null;
}
