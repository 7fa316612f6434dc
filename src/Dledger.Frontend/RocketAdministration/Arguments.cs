using Dledger.Broker;
using Dledger.Broker.Naming;
using Dledger.Broker.Topics;
using Dledger.Frontend.Calls;
using Google.Protobuf.WellKnownTypes;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>Checks of arguments that several calls share. Null means that all is well; a refusal names the field and what it may
/// be.</summary>
internal sealed class Arguments(FrontendOptions options)
{
    /// <summary>A client id longer than that is none.</summary>
    private const int ClientIdLengthMax = 256;

    // The years 1 to 9999, as the type of the field defines them.
    private const long SecondsMin = -62_135_596_800;
    private const long SecondsMax = 253_402_300_799;

    public static BrokerFailure Bad(string detail) => new(BrokerError.InvalidArgument, detail);

    public static BrokerFailure Absent(string detail) => new(BrokerError.Unsupported, detail);

    /// <summary>A cluster is one deployment; a console that means another one must not change this one.</summary>
    public BrokerFailure? Deployment(string name) => name.Length == 0 || name == options.GroupName
        ? null
        : Bad($"the field 'deployment_name' is '{Printable(name)}'; here is '{options.GroupName}' only, which is meant without the field, too");

    public static BrokerFailure? Topic(ClientCall call, Wire.Resource? topic) =>
        Names.CheckTopic(ResourceNames.Of(topic, call)) is { } violation ? Named("topic", violation) : null;

    public static BrokerFailure? Group(ClientCall call, Wire.Resource? group) =>
        Names.CheckGroup(ResourceNames.Of(group, call)) is { } violation ? Named("group", violation) : null;

    /// <summary>As the two above, for a field that may be left out.</summary>
    public static BrokerFailure? OptionalTopic(ClientCall call, Wire.Resource? topic) =>
        IsAbsent(topic) ? null : Topic(call, topic);

    public static BrokerFailure? OptionalGroup(ClientCall call, Wire.Resource? group) =>
        IsAbsent(group) ? null : Group(call, group);

    public static BrokerFailure? EitherOf(ClientCall call, Wire.Resource? topic, Wire.Resource? group) =>
        IsAbsent(topic) && IsAbsent(group)
            ? Bad("neither the field 'topic' nor the field 'group' is set; one of them is needed")
            : OptionalTopic(call, topic) ?? OptionalGroup(call, group);

    public static BrokerFailure? Topics(ClientCall call, IReadOnlyCollection<Wire.Resource> topics, int countMax) =>
        topics.Count > countMax
            ? Bad($"the field 'topics' has {topics.Count} entries; up to {countMax} are allowed")
            : topics.Select(topic => Topic(call, topic)).FirstOrDefault(failure => failure is not null);

    /// <summary>A lite topic is one of the topic that is named beside it, and of no other.</summary>
    public static BrokerFailure? LiteTopic(string lite, int topicCount) =>
        lite.Length == 0 ? null
        : LiteRules.CheckName(lite) is { } violation ? Named("lite_topic", violation)
        : topicCount == 1 ? null
        : Bad($"the field 'lite_topic' is set beside {topicCount} topics; name the one topic of type LITE that it belongs to");

    /// <summary>The queue of a lite topic; a refusal when the topic has none of that name.</summary>
    public static BrokerFailure? FindLite(BrokerNode broker, TopicView topic, string lite, out int queueId)
    {
        queueId = 0;
        if (!topic.IsLite)
        {
            return Bad($"the field 'lite_topic' is set, and the topic '{topic.Name}' is not of type LITE");
        }

        if (broker.FindLiteQueue(topic.Name, lite) is not { } found)
        {
            return new BrokerFailure(
                BrokerError.TopicNotFound,
                $"the topic '{topic.Name}' has no lite topic '{Printable(lite)}': it was never sent to, or has ended");
        }

        queueId = found;
        return null;
    }

    public static BrokerFailure? ClientId(string clientId) => string.IsNullOrWhiteSpace(clientId)
        ? Bad("the field 'client_id' is blank; ListConsumerConnection shows the clients of a group")
        : clientId.Length > ClientIdLengthMax
            ? Bad($"the field 'client_id' has {clientId.Length} characters; up to {ClientIdLengthMax} are allowed")
            : null;

    public static BrokerFailure? Time(string field, Timestamp? time) =>
        time is null || (time.Seconds is >= SecondsMin and <= SecondsMax && time.Nanos is >= 0 and <= 999_999_999)
            ? null
            : Bad($"the field '{field}' is no time: seconds from {SecondsMin} to {SecondsMax} and nanos from 0 to 999999999 are allowed");

    public static bool IsAbsent(Wire.Resource? resource) => string.IsNullOrEmpty(resource?.Name);

    /// <summary>The broker's name of a resource; null when it was left out.</summary>
    public static string? NameOf(Wire.Resource? resource, ClientCall call) =>
        IsAbsent(resource) ? null : ResourceNames.Of(resource, call);

    /// <summary>A caller's text made safe for messages: control characters replaced, length bounded.</summary>
    public static string Printable(string text) => string.Concat(
        text.Take(128).Select(character => char.IsControl(character) || char.IsSurrogate(character) ? '?' : character));

    private static BrokerFailure Named(string field, Violation violation) =>
        BrokerFailure.Of(violation with { Detail = $"the field '{field}': {violation.Detail}" });
}
