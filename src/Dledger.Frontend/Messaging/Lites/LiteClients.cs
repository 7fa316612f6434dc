using System.Collections.Concurrent;
using Dledger.Broker.Lites;
using Dledger.Frontend.Messaging.Transactions;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Lites;

/// <summary>
/// The sets of lite topics of the clients that talk to this node: what it tells the next leader, which knows none. Safe for any thread.
/// </summary>
/// <remarks>
/// Clients repeat their sets every 30 s, so one that was not heard for three times that is gone. Where too many are known, new ones are
/// not remembered; they wait for their own repeat after a change of the leader.
/// </remarks>
internal sealed class LiteClients(TimeProvider time) : IDisposable
{
    private const int ClientsMax = 10_000;
    private const int GateCount = 64;

    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(90);

    private readonly ConcurrentDictionary<LiteClient, (string[] Names, long At)> _sets = new();
    private readonly Lock _streamLock = new();
    private readonly Dictionary<string, List<IProducerStream>> _streams = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim[] _gates = [.. Enumerable.Range(0, GateCount).Select(_ => new SemaphoreSlim(1))];

    /// <summary>Clients whose sets are known.</summary>
    public IReadOnlyCollection<LiteClient> Known
    {
        get
        {
            foreach (var (client, set) in _sets)
            {
                if (time.GetElapsedTime(set.At) > KeptFor)
                {
                    _sets.TryRemove(client, out _);
                }
            }

            return [.. _sets.Keys];
        }
    }

    /// <summary>One at a time tells the leader about a client: a repeat that was read earlier must not arrive later.</summary>
    public SemaphoreSlim GateOf(LiteClient client) => _gates[(uint)client.GetHashCode() % GateCount];

    /// <summary>The set of a client; null when it is not known. Behind its gate.</summary>
    public string[]? NamesOf(LiteClient client) => _sets.TryGetValue(client, out var set) ? set.Names : null;

    /// <summary>The leader took a change. Behind the client's gate.</summary>
    public void Note(LiteClient client, LiteAction action, IEnumerable<string> names)
    {
        if (_sets.Count >= ClientsMax && !_sets.ContainsKey(client) && Known.Count >= ClientsMax)
        {
            return;
        }

        var before = NamesOf(client) ?? [];
        string[] after = action switch
        {
            LiteAction.PartialAdd => [.. before.Union(names, StringComparer.Ordinal)],
            LiteAction.PartialRemove => [.. before.Except(names, StringComparer.Ordinal)],
            LiteAction.CompleteAdd => [.. names.Distinct(StringComparer.Ordinal)],
            _ => [],
        };
        _sets[client] = (after, time.GetTimestamp());
    }

    /// <summary>A lite consumer opened its telemetry stream, or told its settings again.</summary>
    public void AddStream(IProducerStream stream)
    {
        lock (_streamLock)
        {
            if (!_streams.TryGetValue(stream.ClientId, out var streams))
            {
                _streams.Add(stream.ClientId, streams = []);
            }

            if (!streams.Contains(stream))
            {
                streams.Add(stream);
            }
        }
    }

    /// <summary>A telemetry stream has ended.</summary>
    public void RemoveStream(IProducerStream stream)
    {
        lock (_streamLock)
        {
            if (_streams.TryGetValue(stream.ClientId, out var streams) && streams.Remove(stream) && streams.Count == 0)
            {
                _streams.Remove(stream.ClientId);
            }
        }
    }

    /// <summary>Tells the clients that have a lite topic in their sets that it was deleted. Never blocks.</summary>
    public void TellEnded(string topic, IReadOnlyList<string> names)
    {
        foreach (var (client, set) in _sets)
        {
            if (client.Topic != topic)
            {
                continue;
            }

            foreach (var name in set.Names.Intersect(names, StringComparer.Ordinal))
            {
                Tell(client.ClientId, name);
            }

            _sets.TryUpdate(client, ([.. set.Names.Except(names, StringComparer.Ordinal)], set.At), set);
        }
    }

    public void Dispose()
    {
        foreach (var gate in _gates)
        {
            gate.Dispose();
        }
    }

    private void Tell(string clientId, string name)
    {
        var command = new Wire.TelemetryCommand
        {
            NotifyUnsubscribeLiteCommand = new Wire.NotifyUnsubscribeLiteCommand { LiteTopic = name },
        };
        lock (_streamLock)
        {
            foreach (var stream in _streams.GetValueOrDefault(clientId) ?? [])
            {
                stream.TrySend(command);
            }
        }
    }
}

/// <summary>A client of a group on one parent of lite topics; names with their namespaces.</summary>
internal readonly record struct LiteClient(string ClientId, string Group, string Topic);
