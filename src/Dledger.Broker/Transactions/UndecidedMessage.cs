using Dledger.Broker.Messages;

namespace Dledger.Broker.Transactions;

/// <summary>A message whose producer is asked about it.</summary>
/// <param name="TransactionId">The text that the producer knows.</param>
/// <param name="Message">As it would be delivered, but for what a delivery adds.</param>
/// <param name="Webhook">Whom to ask when no producer can be.</param>
public sealed record UndecidedMessage(string TransactionId, DeliveredMessage Message, TransactionWebhook Webhook);
