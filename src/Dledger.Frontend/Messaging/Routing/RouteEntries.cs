using Dledger.Broker.Topics;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Nodes;
using Dledger.Primitives;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Routing;

/// <summary>Builds the queues of a route and of an assignment.</summary>
/// <remarks>
/// One entry per queue of the leader: broker id 0, the name of the replication group (which stays when the leader
/// changes), ids 0 to n-1 in order. Followers have no entries, because some clients take every entry for a leader.
/// </remarks>
internal sealed class RouteEntries(FrontendOptions options, NodeDirectory nodes)
{
    private readonly RouteEndpoints _endpoints = new(options, nodes);

    /// <summary>The queue with this id as the client shall see it; id -1: all queues of the broker.</summary>
    public static Wire.MessageQueue Queue(
        Wire.Resource topic, int id, Wire.Broker broker, IEnumerable<Wire.MessageType> types)
    {
        var queue = new Wire.MessageQueue
        {
            Topic = topic,
            Id = id,
            Permission = Wire.Permission.ReadWrite,
            Broker = broker,
        };
        queue.AcceptMessageTypes.AddRange(types);
        return queue;
    }

    /// <summary>The broker that serves every topic, at the addresses where this client shall go.</summary>
    public Wire.Broker Broker(ClientCall call, NodeId leader) =>
        new() { Name = options.GroupName, Id = 0, Endpoints = _endpoints.For(call, leader) };

    /// <summary>The message types of a topic, as the wire names them; never empty.</summary>
    public static IEnumerable<Wire.MessageType> Types(TopicView topic) =>
        topic.AcceptedTypes.ToList().Select(type => (Wire.MessageType)(int)type);
}
