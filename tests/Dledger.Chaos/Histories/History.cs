using System.Text.Json;

namespace Dledger.Chaos.Histories;

/// <summary>What happened in one run, in order of index.</summary>
/// <param name="Header">What ran.</param>
/// <param name="Entries">Dense indexes, times that never decrease.</param>
internal sealed record History(HistoryHeader Header, IReadOnlyList<HistoryEntry> Entries)
{
    /// <summary>Reads a file or golden text: one JSON object a line.</summary>
    /// <exception cref="ChaosException">A line cannot be read; it is named.</exception>
    public static History Parse(IEnumerable<string> lines)
    {
        HistoryHeader? header = null;
        var entries = new List<HistoryEntry>();
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            try
            {
                if (header is null)
                {
                    header = JsonSerializer.Deserialize<HistoryHeader>(line);
                }
                else
                {
                    entries.Add(JsonSerializer.Deserialize<HistoryEntry>(line)!);
                }
            }
            catch (JsonException exception)
            {
                throw new ChaosException($"line {number} of the history cannot be read: {exception.Message}", exception);
            }
        }

        return new History(header ?? throw new ChaosException("the history is empty"), entries);
    }
}
