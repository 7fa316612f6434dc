using Dledger.Broker.Commands;

namespace Dledger.Broker.Receipts;

/// <summary>What a receipt handle says.</summary>
/// <param name="RaftGroup">The Raft group whose log holds the delivery.</param>
/// <param name="GroupId">The consumer group.</param>
/// <param name="TopicId">The topic.</param>
/// <param name="Delivery">The message and the Lease record that handed it out.</param>
/// <param name="Attempt">Number of the delivery, from 1 on.</param>
internal readonly record struct Receipt(
    int RaftGroup, int GroupId, int TopicId, DeliveryReference Delivery, int Attempt);
