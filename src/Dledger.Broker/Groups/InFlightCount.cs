namespace Dledger.Broker.Groups;

/// <summary>How many messages a group has handed out and not finished, in all and by client. Derived from the leases.</summary>
internal sealed class InFlightCount
{
    private readonly Dictionary<long, int> _byClient = [];

    public int Total { get; private set; }

    public int Of(long clientHash) => _byClient.GetValueOrDefault(clientHash);

    public void Change(long clientHash, int change)
    {
        Total += change;
        var count = Of(clientHash) + change;
        if (count == 0)
        {
            _byClient.Remove(clientHash);
        }
        else
        {
            _byClient[clientHash] = count;
        }
    }
}
