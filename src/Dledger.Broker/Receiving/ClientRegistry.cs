using System.Collections.Concurrent;

namespace Dledger.Broker.Receiving;

/// <summary>When each client was last heard of. Soft state of the leader; any thread.</summary>
internal sealed class ClientRegistry(TimeProvider time)
{
    /// <summary>A client is taken for alive this long after its last sign of life.</summary>
    public static readonly TimeSpan AliveFor = TimeSpan.FromSeconds(90);

    /// <summary>Clients above which those not alive are forgotten.</summary>
    private const int SweepAbove = 100_000;

    private readonly ConcurrentDictionary<long, long> _seenAt = new();

    public void Seen(string clientId)
    {
        if (clientId.Length == 0)
        {
            return;
        }

        if (_seenAt.Count > SweepAbove)
        {
            Sweep();
        }

        _seenAt[IdentityHash.OfClient(clientId)] = time.GetTimestamp();
    }

    public void Terminated(string clientId) => _seenAt.TryRemove(IdentityHash.OfClient(clientId), out _);

    public bool IsAlive(long clientHash) =>
        _seenAt.TryGetValue(clientHash, out var seenAt) && time.GetElapsedTime(seenAt) <= AliveFor;

    private void Sweep()
    {
        foreach (var (client, _) in _seenAt)
        {
            if (!IsAlive(client))
            {
                _seenAt.TryRemove(client, out _);
            }
        }
    }
}
