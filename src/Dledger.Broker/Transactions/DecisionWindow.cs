namespace Dledger.Broker.Transactions;

/// <summary>The newest decisions, oldest first: what a repeated call is answered from. Replicated state.</summary>
internal sealed class DecisionWindow(int countMax)
{
    private readonly Queue<long> _order = new();
    private readonly Dictionary<long, TransactionDecision> _decisions = [];

    /// <summary>In the order of the decisions.</summary>
    public IEnumerable<(long Id, TransactionDecision Decision)> All => _order.Select(id => (id, _decisions[id]));

    public int Count => _order.Count;

    /// <summary>None when it is not known, or not any more.</summary>
    public TransactionDecision Find(long id) => _decisions.GetValueOrDefault(id);

    public void Add(long id, TransactionDecision decision)
    {
        if (!_decisions.TryAdd(id, decision))
        {
            return;
        }

        _order.Enqueue(id);
        if (_order.Count > countMax)
        {
            _decisions.Remove(_order.Dequeue());
        }
    }
}
