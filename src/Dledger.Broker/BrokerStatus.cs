using Dledger.Primitives;

namespace Dledger.Broker;

/// <summary>What this node is in its cluster, as a front end needs it.</summary>
/// <param name="Self">This node.</param>
/// <param name="Leader">The known leader, else <see cref="NodeId.None"/>.</param>
/// <param name="IsServing">This node leads and has applied its own term's start: it may take requests.</param>
public readonly record struct BrokerStatus(NodeId Self, NodeId Leader, bool IsServing);
