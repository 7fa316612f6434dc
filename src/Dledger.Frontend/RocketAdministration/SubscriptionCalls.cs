using Dledger.Broker;
using Dledger.Broker.Groups;
using Dledger.Broker.Surveys;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging.Clients;
using Dledger.Protocol.Node.V1;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>Who reads what: groups by topic, and the clients behind them.</summary>
/// <remarks>
/// Progress is replicated, so the leader knows which group reads which topic. Filters are what living members asked the leader with. Of
/// a client's library each node knows what came over the telemetry streams that it has. What nobody knows is left out.
/// </remarks>
internal sealed class SubscriptionCalls(BrokerNode broker, ClusterClients clients, Arguments arguments)
{
    private const string SqlPrefix = "SQL ";

    public BrokerFailure? Check(ClientCall call, Wire.ListSubscriptionRequest request) =>
        arguments.Deployment(request.DeploymentName) ?? Arguments.EitherOf(call, request.Topic, request.Group);

    public async ValueTask<LocalOutcome<Wire.ListSubscriptionResponse>> ListAsync(
        ClientCall call, Wire.ListSubscriptionRequest request, CancellationToken cancellationToken)
    {
        var (subscriptions, failure) = await broker.ListSubscriptionsAsync(
            Arguments.NameOf(request.Group, call), Arguments.NameOf(request.Topic, call), cancellationToken);
        if (failure is { } refused)
        {
            return refused;
        }

        var space = NamespaceOf(call, request.Topic, request.Group);
        var response = new Wire.ListSubscriptionResponse { Status = StatusMapping.Ok };
        foreach (var subscription in subscriptions)
        {
            // One entry for each filter that is in use; without members nobody knows it.
            var filters = subscription.Members.DistinctBy(member => member.Filter, StringComparer.Ordinal).ToArray();
            response.SubscriptionInfo.AddRange(filters.Length == 0
                ? [ToWire(space, subscription, null)]
                : filters.Select(member => ToWire(space, subscription, member)));
        }

        return response;
    }

    public BrokerFailure? Check(ClientCall call, Wire.DescribeSubscriptionRequest request) =>
        arguments.Deployment(request.DeploymentName) ?? Arguments.EitherOf(call, request.Topic, request.Group);

    public async ValueTask<LocalOutcome<Wire.DescribeSubscriptionResponse>> DescribeAsync(
        ClientCall call, Wire.DescribeSubscriptionRequest request, CancellationToken cancellationToken)
    {
        var group = Arguments.NameOf(request.Group, call);
        var (subscriptions, failure) = await broker.ListSubscriptionsAsync(
            group, Arguments.NameOf(request.Topic, call), cancellationToken);
        if (failure is { } refused)
        {
            return refused;
        }

        var space = NamespaceOf(call, request.Topic, request.Group);
        var connected = await clients.ListAsync(group ?? "", "", cancellationToken);
        var response = new Wire.DescribeSubscriptionResponse { Status = connected.Status };
        response.ClientSubscriptionInfo.AddRange(subscriptions.SelectMany(subscription => subscription.Members.Select(member =>
            new Wire.DescribeSubscriptionResponse.Types.ClientSubscriptionInfo
            {
                ClientInfo = ToWire(member.ClientId, ModelOf(subscription.Group), connected.Clients),
                SubscriptionInfo = ToWire(space, subscription, member),
            })));
        return response;
    }

    public BrokerFailure? Check(ClientCall call, Wire.ListConsumerConnectionRequest request) =>
        arguments.Deployment(request.DeploymentName)
            ?? Arguments.Group(call, request.Group)
            ?? Arguments.OptionalTopic(call, request.Topic)
            ?? Arguments.LiteTopic(request.LiteTopic, Arguments.IsAbsent(request.Topic) ? 0 : 1);

    public async ValueTask<LocalOutcome<Wire.ListConsumerConnectionResponse>> ListConnectionsAsync(
        ClientCall call, Wire.ListConsumerConnectionRequest request, CancellationToken cancellationToken)
    {
        var group = ResourceNames.Of(request.Group, call);
        var topic = Arguments.NameOf(request.Topic, call);
        var (subscriptions, failure) = await broker.ListSubscriptionsAsync(group, topic, cancellationToken);
        if (failure is { } refused)
        {
            return refused;
        }

        HashSet<string>? askers = null;
        if (request.LiteTopic.Length > 0)
        {
            if (broker.FindTopic(topic!) is not { } parent)
            {
                return new BrokerFailure(BrokerError.TopicNotFound, $"the topic '{topic}' does not exist");
            }

            if (Arguments.FindLite(broker, parent, request.LiteTopic, out _) is { } noLite)
            {
                return noLite;
            }

            askers = [.. broker.FindLiteClients(group, topic!, request.LiteTopic)];
        }

        // Those with a stream, and those that ask without one; of a lite topic those that have it in their sets.
        var model = broker.FindGroup(group) is { } view ? ModelOf(view) : Wire.MessageModel.Unspecified;
        var connected = await clients.ListAsync(group, "", cancellationToken);
        var response = new Wire.ListConsumerConnectionResponse { Status = connected.Status };
        response.ClientInfo.AddRange(connected.Clients
            .Where(client => topic is null || Reads(client, topic))
            .Select(client => client.ClientId)
            .Concat(subscriptions.SelectMany(subscription => subscription.Members.Select(member => member.ClientId)))
            .Concat(askers ?? [])
            .Distinct(StringComparer.Ordinal)
            .Where(clientId => askers?.Contains(clientId) != false)
            .Order(StringComparer.Ordinal)
            .Select(clientId => ToWire(clientId, model, connected.Clients)));
        return response;
    }

    public BrokerFailure? Check(ClientCall call, Wire.GetConsumerRunningInfoRequest request) =>
        arguments.Deployment(request.DeploymentName)
            ?? Arguments.Group(call, request.Group)
            ?? Arguments.ClientId(request.ClientId);

    /// <summary>What the client told us. What it holds and how fast it works it tells nobody: those fields stay empty.</summary>
    public async ValueTask<LocalOutcome<Wire.GetConsumerRunningInfoResponse>> DescribeRunningAsync(
        ClientCall call, Wire.GetConsumerRunningInfoRequest request, CancellationToken cancellationToken)
    {
        var group = ResourceNames.Of(request.Group, call);
        var (subscriptions, failure) = await broker.ListSubscriptionsAsync(group, null, cancellationToken);
        if (failure is { } refused)
        {
            return refused;
        }

        var connected = await clients.ListAsync(group, request.ClientId, cancellationToken);
        var running = new Wire.ConsumerRunningInfo();
        if (connected.Clients.FirstOrDefault() is { } client)
        {
            Describe(client, running);
        }

        // What it asks with counts more than what it once said.
        foreach (var member in subscriptions.SelectMany(subscription => subscription.Members)
            .Where(member => member.ClientId == request.ClientId))
        {
            running.Subscriptions[ResourceNames.WithoutNamespace(member.Topic, NamespaceOf(call, request.Group))] = FilterOf(member);
        }

        return connected.Clients.Count == 0 && running.Subscriptions.Count == 0
            ? new Wire.GetConsumerRunningInfoResponse
            {
                Status = ClientAnswers.NotConnected(request.ClientId, group, connected.Missing),
            }
            : new Wire.GetConsumerRunningInfoResponse { Status = connected.Status, ConsumerRunningInfo = running };
    }

    // Names go back in the namespace in which they were asked for.
    private static string NamespaceOf(ClientCall call, params Wire.Resource?[] resources) => ResourceNames.NamespaceOf(
        resources.FirstOrDefault(resource => !string.IsNullOrEmpty(resource?.ResourceNamespace)), call);

    private static Wire.Resource ResourceOf(string name, string space) =>
        new() { ResourceNamespace = space, Name = ResourceNames.WithoutNamespace(name, space) };

    private static bool Reads(ConnectedClient client, string topic) => client.Settings.Subscription.Subscriptions.Any(
        entry => ResourceNames.Of(entry.Topic, client.ResourceNamespace) == topic);

    private static void Describe(ConnectedClient client, Wire.ConsumerRunningInfo running)
    {
        var settings = client.Settings;
        foreach (var (key, value) in settings.ClientProperties)
        {
            running.Properties[key] = value;
        }

        running.Properties["client_type"] = WireNames.Of(settings.ClientType);
        running.Properties["client_address"] = client.Address;
        if (settings.UserAgent is { } agent)
        {
            running.Properties["client_language"] = WireNames.Of(agent.Language);
            running.Properties["client_version"] = agent.Version;
            running.Properties["client_platform"] = agent.Platform;
            running.Properties["client_host"] = agent.Hostname;
        }

        foreach (var entry in settings.Subscription.Subscriptions)
        {
            running.Subscriptions[entry.Topic.Name] = entry.Expression ?? new Wire.FilterExpression();
        }
    }

    private static Wire.SubscriptionInfo ToWire(string space, GroupSubscription subscription, GroupMember? member) => new()
    {
        Group = ResourceOf(subscription.Group.Name, space),
        Topic = ResourceOf(subscription.Topic, space),
        Expression = member is null ? null : FilterOf(member),
        Online = subscription.Members.Count > 0,
        MessageModel = ModelOf(subscription.Group),
        SubscriptionConsistency = !subscription.Members.Any(other => other.Differs),
    };

    private static Wire.FilterExpression FilterOf(GroupMember member) => member.IsSql
        ? new() { Type = Wire.FilterType.Sql, Expression = member.Filter[SqlPrefix.Length..] }
        : new() { Type = Wire.FilterType.Tag, Expression = member.Filter };

    private static Wire.MessageModel ModelOf(GroupView group) =>
        group.Settings.Broadcast ? Wire.MessageModel.Broadcasting : Wire.MessageModel.Clustering;

    private static Wire.ClientInfo ToWire(string clientId, Wire.MessageModel model, IReadOnlyList<ConnectedClient> connected)
    {
        var wire = new Wire.ClientInfo { ClientId = clientId, MessageModel = model };
        if (connected.FirstOrDefault(client => client.ClientId == clientId) is { } found)
        {
            wire.EgressIp = found.Address;
            if (found.Settings.UserAgent is { } agent)
            {
                wire.Version = agent.Version;
                wire.Language = WireNames.Of(agent.Language);
                wire.Hostname = agent.Hostname;
            }
        }

        return wire;
    }
}
