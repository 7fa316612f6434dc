using System.Collections.Concurrent;

namespace Dledger.Broker.Receiving;

/// <summary>When each client was last heard of. Soft state of the leader; any thread.</summary>
internal sealed class ClientRegistry(TimeProvider time)
{
    /// <summary>A client is taken for alive this long after its last sign of life.</summary>
    public static readonly TimeSpan AliveFor = TimeSpan.FromSeconds(90);

    /// <summary>Clients above which those not alive are forgotten.</summary>
    private const int SweepAbove = 100_000;

    /// <summary>Names above which all are forgotten; those in use come back with their next call.</summary>
    private const int NamesMax = 20_000;

    private readonly ConcurrentDictionary<long, long> _seenAt = new();
    private readonly ConcurrentDictionary<long, string> _names = new();
    private readonly ConcurrentDictionary<long, bool> _terminated = new();
    private long _servingSince = time.GetTimestamp();

    /// <summary>
    /// This node becomes the leader: who did not speak to it may have spoken to the last one a moment ago, also after a goodbye that it
    /// heard when it led before.
    /// </summary>
    public void BeginToServe()
    {
        Interlocked.Exchange(ref _servingSince, time.GetTimestamp());
        _terminated.Clear();
    }

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

        var clientHash = IdentityHash.OfClient(clientId);
        _seenAt[clientHash] = time.GetTimestamp();
        _terminated.TryRemove(clientHash, out _);
        if (_names.TryAdd(clientHash, clientId) && _names.Count > NamesMax)
        {
            _names.Clear();
        }
    }

    /// <summary>The client behind a hash in a record; null when this node has not heard of it. For people.</summary>
    public string? NameOf(long clientHash) => _names.GetValueOrDefault(clientHash);

    public void Terminated(string clientId)
    {
        var clientHash = IdentityHash.OfClient(clientId);
        _seenAt.TryRemove(clientHash, out _);
        if (_terminated.Count > SweepAbove)
        {
            _terminated.Clear();
        }

        _terminated[clientHash] = true;
    }

    public bool IsAlive(long clientHash) => WasSeenWithin(clientHash, AliveFor);

    /// <summary>Whether a client said goodbye and was not heard of since.</summary>
    public bool HasLeft(long clientHash) => _terminated.ContainsKey(clientHash);

    /// <summary>Whether a client said goodbye, or would have been heard of by now if it were alive.</summary>
    public bool IsGone(long clientHash) => IsGone(clientHash, AliveFor);

    /// <summary>The same for who is taken for alive for another time after its last sign of life.</summary>
    public bool IsGone(long clientHash, TimeSpan silence) =>
        _terminated.ContainsKey(clientHash)
        || (!WasSeenWithin(clientHash, silence) && time.GetElapsedTime(Interlocked.Read(ref _servingSince)) > silence);

    private bool WasSeenWithin(long clientHash, TimeSpan silence) =>
        _seenAt.TryGetValue(clientHash, out var seenAt) && time.GetElapsedTime(seenAt) <= silence;

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
