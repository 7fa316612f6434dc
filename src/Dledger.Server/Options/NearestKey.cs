namespace Dledger.Server.Options;

/// <summary>Finds the known key that an unknown one was probably meant to be.</summary>
internal static class NearestKey
{
    /// <summary>The name of the known key that takes the fewest edits; never null, as there are known keys.</summary>
    public static string Of(string unknown, IReadOnlyList<OptionKey> known) =>
        known.MinBy(key => EditCount(unknown.ToUpperInvariant(), key.Name.ToUpperInvariant()))!.Name;

    /// <summary>Levenshtein distance: insertions, deletions and replacements that turn one text into the
    /// other.</summary>
    private static int EditCount(string from, string to)
    {
        var row = new int[to.Length + 1];
        for (var column = 0; column <= to.Length; column++)
        {
            row[column] = column;
        }

        for (var line = 1; line <= from.Length; line++)
        {
            var diagonal = row[0];
            row[0] = line;
            for (var column = 1; column <= to.Length; column++)
            {
                var replaced = diagonal + (from[line - 1] == to[column - 1] ? 0 : 1);
                diagonal = row[column];
                row[column] = Math.Min(replaced, Math.Min(row[column], row[column - 1]) + 1);
            }
        }

        return row[to.Length];
    }
}
