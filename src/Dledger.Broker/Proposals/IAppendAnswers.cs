using Dledger.Broker.Messages;

namespace Dledger.Broker.Proposals;

/// <summary>Gets, on the apply loop, what became of each message of a producer's call.</summary>
internal interface IAppendAnswers
{
    /// <summary>Called for each record in order.</summary>
    void Add(in AppendEntry entry);

    /// <summary>The topic or queue is gone; called for each record.</summary>
    void Refuse(BrokerFailure failure);
}
