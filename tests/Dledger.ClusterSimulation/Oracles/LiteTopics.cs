using Dledger.Broker.Commands;
using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>Which lite topics there are, by a second reading of the log.</summary>
/// <remarks>
/// That a lite topic was consumed before it ended by itself is not looked at here: no leader proposes the end of another one, and a message
/// that comes in between shows in the time of its last use.
/// </remarks>
internal sealed class LiteTopics
{
    private readonly Dictionary<string, (int QueueId, long UsedAt)> _byName = new(StringComparer.Ordinal);
    private readonly List<string?> _byQueue = [];

    public void Create(string name, long logTime)
    {
        if (_byName.ContainsKey(name))
        {
            return;
        }

        var free = _byQueue.IndexOf(null);
        var queueId = free >= 0 ? free : _byQueue.Count;
        if (free < 0)
        {
            _byQueue.Add(null);
        }

        _byQueue[queueId] = name;
        _byName.Add(name, (queueId, logTime));
    }

    /// <summary>Whether a message joins the queue that it names: its lite topic may have ended since it was sent.</summary>
    public bool Admits(in RecordView record, string name, long logTime)
    {
        if (!_byName.TryGetValue(name, out var lite) || lite.QueueId != record.QueueId)
        {
            return false;
        }

        _byName[name] = (lite.QueueId, logTime);
        return true;
    }

    /// <summary>Ends those of a record that there are, and when it is not forced, that were not used for long; their queues.</summary>
    public List<(string Name, int QueueId)> End(LiteEndCommand command, long expiry, long logTime)
    {
        var ended = new List<(string, int)>();
        foreach (var name in command.Names)
        {
            if (_byName.TryGetValue(name, out var lite) && (command.IsForced || lite.UsedAt + expiry <= logTime))
            {
                _byName.Remove(name);
                _byQueue[lite.QueueId] = null;
                ended.Add((name, lite.QueueId));
            }
        }

        return ended;
    }
}
