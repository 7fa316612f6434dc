using Dledger.Broker.Filtering;

namespace Dledger.Broker.Routes;

/// <summary>A rule of a topic: which of its messages also stand in a queue of another topic. Immutable; any thread.</summary>
/// <param name="Name">Tells the routes of a topic apart.</param>
/// <param name="TargetId">The number of the topic that the messages go to as well.</param>
/// <param name="Filter">Which messages.</param>
public sealed record TopicRoute(string Name, int TargetId, MessageFilter Filter);

/// <summary>A route as operators write and read it.</summary>
/// <param name="Source">The topic whose messages are meant.</param>
/// <param name="Name">Empty in a wish: the name of the target.</param>
/// <param name="Target">The topic that they go to as well.</param>
/// <param name="Filter">Which messages.</param>
public sealed record RouteSpec(string Source, string Name, string Target, MessageFilter Filter);
