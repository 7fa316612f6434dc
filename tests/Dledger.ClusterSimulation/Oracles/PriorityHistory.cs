using Dledger.Broker.Messages;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>What the one consumer of a topic of priorities was given, against what it could have been given (I68).</summary>
/// <remarks>
/// A message is surely free when its send was answered before the receive began, nobody was ever given it, and no answer to a receive was
/// lost that may have leased it unseen. A receive that hands out a message leaves none behind that is surely free and more urgent.
/// </remarks>
internal sealed class PriorityHistory(SimulatedCluster cluster, int bandCount)
{
    public const string Topic = "alarms";
    public const string Group = "alarmed";

    private const string IdPrefix = "p:";

    private readonly Dictionary<string, int> _bands = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, HashSet<string>> _free = [];
    private readonly HashSet<string> _delivered = new(StringComparer.Ordinal);
    private int _number;
    private long _doubtUntil;
    private bool _isInDoubt;

    public static bool Owns(string messageId) => messageId.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>Whether an answer was lost, so that messages may be leased by nobody who knows.</summary>
    public bool IsInDoubt => _isInDoubt;

    /// <summary>A producer is about to send; each attempt has an id of its own.</summary>
    public string Invoke(int priority)
    {
        var id = $"{IdPrefix}{++_number}";
        _bands.Add(id, Math.Min(priority, bandCount - 1));
        return id;
    }

    /// <summary>A message was committed.</summary>
    public void Stored(StoredMessage message) => cluster.Checks.Check(
        "I68",
        _bands.TryGetValue(message.Id, out var band) && message.QueueId == band,
        $"{message.Id} is stored in queue {message.QueueId}, which is not the band of its priority");

    /// <summary>A send was answered. Its message may have been delivered before.</summary>
    public void Acked(string id)
    {
        if (_delivered.Contains(id))
        {
            return;
        }

        if (!_free.TryGetValue(_bands[id], out var band))
        {
            _free.Add(_bands[id], band = new HashSet<string>(StringComparer.Ordinal));
        }

        band.Add(id);
    }

    /// <summary>A receive begins: what is surely free now.</summary>
    public List<(int Band, string Id)> Begin() =>
        _isInDoubt ? [] : [.. _free.SelectMany(band => band.Value.Order(StringComparer.Ordinal).Select(id => (band.Key, id)))];

    /// <summary>Nobody knows what a receive did; all that it may have leased is free again after a while.</summary>
    public void AnswerLost(long quiet)
    {
        _isInDoubt = true;
        _doubtUntil = cluster.Events.Now + quiet;
    }

    /// <summary>Ends the doubt when its time is over; only once nothing stands still or is cut off any more.</summary>
    public void Settle() => _isInDoubt = _isInDoubt && cluster.Events.Now < _doubtUntil;

    /// <summary>A receive was answered.</summary>
    public void Delivered(IReadOnlyList<DeliveredMessage> batch, List<(int Band, string Id)> free)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            var band = _bands[batch[i].MessageId];
            cluster.Checks.Check(
                "I68",
                i == 0 || band <= _bands[batch[i - 1].MessageId],
                $"{batch[i].MessageId} of band {band} is handed out behind {batch[Math.Max(0, i - 1)].MessageId}, which is less urgent");
            _delivered.Add(batch[i].MessageId);
            _free.GetValueOrDefault(band)?.Remove(batch[i].MessageId);
        }

        if (batch.Count == 0)
        {
            return;
        }

        var lowest = _bands[batch[^1].MessageId];
        foreach (var (band, id) in free)
        {
            cluster.Checks.Check(
                "I68",
                band <= lowest || batch.Any(message => message.MessageId == id) || IsGone(id),
                $"{batch[^1].MessageId} of band {lowest} is handed out, but {id} of band {band} is free");
        }
    }

    private bool IsGone(string id) => cluster.Oracle.Find(id) is { } message && cluster.Oracle.IsGone(message);
}
