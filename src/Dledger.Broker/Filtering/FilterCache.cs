using System.Collections.Concurrent;
using Dledger.Broker.Naming;

namespace Dledger.Broker.Filtering;

/// <summary>Compiled SQL filters by their text, so that a subscription is compiled once and not at each receive. Any thread.</summary>
/// <remarks>
/// Holds at most <see cref="CountMax"/>; when it is full it forgets all of them, which costs one compilation each. Refused texts are not
/// kept: a client with a wrong filter asks once a second.
/// </remarks>
public sealed class FilterCache
{
    /// <summary>More than the subscriptions of a large cluster; at 4096 characters each a few MiB.</summary>
    public const int CountMax = 1_024;

    private readonly ConcurrentDictionary<string, MessageFilter> _filters = new(StringComparer.Ordinal);

    /// <summary>How many are kept.</summary>
    public int Count => _filters.Count;

    /// <summary>The compiled filter, or why there is none.</summary>
    public bool TryGet(string? expression, out MessageFilter filter, out Violation violation)
    {
        violation = default;
        if (expression is not null && _filters.TryGetValue(expression, out var known))
        {
            filter = known;
            return true;
        }

        if (!MessageFilter.TryParseSql(expression, out filter, out violation))
        {
            return false;
        }

        if (_filters.Count >= CountMax)
        {
            _filters.Clear();
        }

        _filters.TryAdd(expression!, filter);
        return true;
    }
}
