using Dledger.Broker.Messages;

namespace Dledger.Broker.Transactions;

/// <summary>A transaction and its messages.</summary>
/// <param name="Transaction">What is known about it.</param>
/// <param name="Messages">As they would be delivered; fewer than it has when the log has given them up.</param>
public sealed record TransactionContent(TransactionView Transaction, IReadOnlyList<DeliveredMessage> Messages);
