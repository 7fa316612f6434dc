using Dledger.Storage.Records;

namespace Dledger.Broker.Filtering;

/// <summary>The filters with which living clients of one group ask for one topic. Any thread.</summary>
/// <remarks>
/// Bounded by <see cref="ClientCountMax"/>: a client beyond that is not remembered and the set counts as incomplete, so that nothing is
/// skipped on account of somebody who is not known.
/// </remarks>
internal sealed class GroupFilters(TimeProvider time)
{
    /// <summary>Clients of one group on one topic that are told apart.</summary>
    public const int ClientCountMax = 10_000;

    /// <summary>How often clients that are gone are looked for.</summary>
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ClientFilter> _clients = new(StringComparer.Ordinal);
    private volatile FilterSet _current = FilterSet.Empty;
    private bool _isFull;
    private long _sweptAt;

    /// <summary>What is known at present; immutable.</summary>
    public FilterSet Current => _current;

    public long Version => _current.Version;

    /// <summary>Whether a message that one client does not want may be another one's.</summary>
    public bool AreMixed => _current.AreMixed;

    /// <summary>Clients with their filters, by client id.</summary>
    public IReadOnlyList<ClientFilter> Clients(Func<long, bool> isAlive)
    {
        lock (_lock)
        {
            return [.. _clients.Values
                .Where(client => isAlive(client.ClientHash))
                .OrderBy(client => client.ClientId, StringComparer.Ordinal)];
        }
    }

    /// <summary>A living client with another filter than this one; null when all agree.</summary>
    public ClientFilter? FindDiffering(string clientId, MessageFilter filter, Func<long, bool> isAlive)
    {
        lock (_lock)
        {
            return _clients.Values
                .Where(client => client.ClientId != clientId && client.Filter.Text != filter.Text && isAlive(client.ClientHash))
                .MinBy(client => client.ClientId, StringComparer.Ordinal);
        }
    }

    /// <summary>
    /// Notes the filter of a client and forgets clients that are gone. <paramref name="mayLack"/>: there may be clients that this node
    /// has not heard yet.
    /// </summary>
    public FilterSet Update(ClientFilter client, bool mayLack, Func<long, bool> isAlive)
    {
        lock (_lock)
        {
            if (_clients.TryGetValue(client.ClientId, out var before)
                && before.Filter.Text == client.Filter.Text
                && _current.IsIncomplete == (mayLack || _isFull)
                && time.GetElapsedTime(_sweptAt) < SweepEvery)
            {
                return _current;
            }

            _sweptAt = time.GetTimestamp();
            foreach (var (id, other) in _clients)
            {
                if (id != client.ClientId && !isAlive(other.ClientHash))
                {
                    _clients.Remove(id);
                    _isFull = false;
                }
            }

            if (_clients.Count < ClientCountMax || _clients.ContainsKey(client.ClientId))
            {
                _clients[client.ClientId] = client;
            }
            else
            {
                _isFull = true;
            }

            var filters = _clients.Values
                .Select(known => known.Filter)
                .DistinctBy(filter => filter.Text, StringComparer.Ordinal)
                .OrderBy(filter => filter.Text, StringComparer.Ordinal)
                .ToArray();
            var isIncomplete = mayLack || _isFull;
            if (!_current.Equals(filters, isIncomplete))
            {
                _current = new FilterSet(_current.Version + 1, filters, isIncomplete);
            }

            return _current;
        }
    }
}

/// <summary>A client and the filter that it last asked with.</summary>
internal sealed record ClientFilter(string ClientId, long ClientHash, MessageFilter Filter);

/// <summary>The distinct filters of a group on a topic at one moment. Immutable; any thread.</summary>
internal sealed class FilterSet(long version, MessageFilter[] filters, bool isIncomplete)
{
    public static readonly FilterSet Empty = new(0, [], false);

    /// <summary>Differs when anything does.</summary>
    public long Version { get; } = version;

    /// <summary>By text.</summary>
    public IReadOnlyList<MessageFilter> Filters => filters;

    /// <summary>There may be filters that are not known.</summary>
    public bool IsIncomplete => isIncomplete;

    public bool AreMixed => isIncomplete || filters.Length > 1;

    public bool Equals(MessageFilter[] others, bool isAlsoIncomplete) =>
        isIncomplete == isAlsoIncomplete
        && filters.Select(filter => filter.Text).SequenceEqual(others.Select(filter => filter.Text));

    /// <summary>Whether a filter of the set may want a message of which only the tag hash is known.</summary>
    public bool MayBeWanted(long tagHash) => isIncomplete || Array.Exists(filters, filter => filter.MayMatch(tagHash));

    /// <summary>Whether a filter of the set wants a verified record.</summary>
    public bool IsWanted(in RecordView record)
    {
        if (isIncomplete)
        {
            return true;
        }

        foreach (var filter in filters)
        {
            if (filter.Matches(record))
            {
                return true;
            }
        }

        return false;
    }
}
