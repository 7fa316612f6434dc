using Dledger.Chaos.Histories;

namespace Dledger.Chaos.Checking;

/// <summary>Acks that a node gave although it was asked after it had to stop acknowledging.</summary>
internal static class LateAcks
{
    /// <summary>Ids of the messages whose attempt at the node began after the given time and was acked.</summary>
    /// <remarks>An attempt begins with the send, or at the earliest when the attempt before it ended.</remarks>
    public static IReadOnlyList<string> After(IEnumerable<HistoryEntry> entries, int node, long time)
    {
        var begins = new Dictionary<string, long>(StringComparer.Ordinal);
        var late = new List<string>();
        foreach (var entry in entries.Where(entry => entry.Function is "send" or "try"))
        {
            if (entry is { Function: "try", Phase: "ok" } && entry.Node == node
                && begins.TryGetValue(entry.Worker!, out var begin) && begin > time)
            {
                late.Add(entry.Id!);
            }

            begins[entry.Worker!] = entry.Time;
        }

        return late;
    }
}
