using Dledger.Storage.Disks;

namespace Dledger.Broker.StateMachine;

/// <summary>What a broker stands on.</summary>
/// <param name="Options">What an operator chose.</param>
/// <param name="Disk">Holds the node's files.</param>
/// <param name="Directory">Of the group, on that disk; empty for its root.</param>
/// <param name="Time">For what is not part of the state.</param>
internal sealed record BrokerSurroundings(BrokerOptions Options, IDisk Disk, string Directory, TimeProvider Time);
