namespace Dledger.Broker.Lites;

/// <summary>The lite topics that one client of a group asks for. Soft state of the leader.</summary>
/// <remarks>Any thread replaces the names; <see cref="QueuesIn"/> is the apply loop's, which therefore sees a change at its next look.</remarks>
internal sealed class LiteSet
{
    private volatile string[] _names = [];
    private string[]? _resolvedNames;
    private long _resolvedVersion = -1;
    private int[] _queues = [];

    /// <summary>Without repeats.</summary>
    public string[] Names => _names;

    public void Replace(string[] names) => _names = names;

    /// <summary>The queues of those that exist, ascending.</summary>
    public int[] QueuesIn(LiteTable table)
    {
        var names = _names;
        if (!ReferenceEquals(names, _resolvedNames) || table.Version != _resolvedVersion)
        {
            var queues = new List<int>(names.Length);
            foreach (var name in names)
            {
                if (table.FindQueue(name) is { } queueId)
                {
                    queues.Add(queueId);
                }
            }

            queues.Sort();
            _queues = [.. queues];
            _resolvedNames = names;
            _resolvedVersion = table.Version;
        }

        return _queues;
    }
}
