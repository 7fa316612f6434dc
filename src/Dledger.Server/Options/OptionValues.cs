using System.Globalization;
using System.Text.RegularExpressions;

namespace Dledger.Server.Options;

/// <summary>Reads typed values out of flat text and notes every text that cannot be read and every unknown
/// key.</summary>
internal sealed partial class OptionValues(
    IReadOnlyDictionary<string, (string Text, string Source)> values, List<string> problems)
{
    /// <summary>More entries than any cluster may have are not read; the rules refuse this many already.</summary>
    private const int NodeCountMax = 16;

    /// <summary>How many entries <c>nodes</c> has: one more than the largest index that is set.</summary>
    public int NodeCount { get; } = values.Keys
        .Select(key => NodeIndex().Match(key))
        .Where(match => match.Success)
        .Select(match => Math.Min(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) + 1, NodeCountMax))
        .DefaultIfEmpty(0)
        .Max();

    public string? OptionalText(OptionKey key, int index = -1) =>
        TryGet(key, index, out var text, out _) ? text : null;

    public string Text(OptionKey key, string absent, int index = -1) => OptionalText(key, index) ?? absent;

    public long Number(OptionKey key, long absent, int index = -1)
    {
        if (!TryGet(key, index, out var text, out var place))
        {
            return absent;
        }

        var number = 0L;
        var isRead = key.Kind switch
        {
            OptionKind.Size => OptionText.TryParseSize(text, out number),
            OptionKind.Duration => OptionText.TryParseDuration(text, out number),
            _ => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number),
        };
        if (isRead && number >= key.Min && number <= key.Max)
        {
            return number;
        }

        var fault = isRead ? "is outside" : $"is not {Describe(key.Kind)}; allowed:";
        problems.Add($"{place}: '{text}' {fault} {key.Range}");
        return absent;
    }

    public int Integer(OptionKey key, int absent, int index = -1) => (int)Number(key, absent, index);

    public TimeSpan Duration(OptionKey key, TimeSpan absent) =>
        TimeSpan.FromMicroseconds(Number(key, (long)absent.TotalMicroseconds));

    public bool Switch(OptionKey key, bool absent)
    {
        if (!TryGet(key, -1, out var text, out var place))
        {
            return absent;
        }

        if (bool.TryParse(text, out var value))
        {
            return value;
        }

        problems.Add($"{place}: '{text}' is not true or false");
        return absent;
    }

    /// <summary>The member of the enum that stands where the word stands in the list of the key.</summary>
    public TEnum Choice<TEnum>(OptionKey key, TEnum absent)
        where TEnum : struct, Enum
    {
        if (!TryGet(key, -1, out var text, out var place))
        {
            return absent;
        }

        for (var index = 0; index < key.Choices.Count; index++)
        {
            if (key.Choices[index].Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                return Enum.GetValues<TEnum>()[index];
            }
        }

        problems.Add($"{place}: '{text}' is none of {key.Range}");
        return absent;
    }

    /// <summary>Notes every key that nobody knows, with the nearest one that somebody does.</summary>
    public void CheckNames()
    {
        var known = OptionKeys.All.Select(key => key.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in values.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (!known.Contains(Template(name)))
            {
                var nearest = NearestKey.Of(Template(name), OptionKeys.All);
                problems.Add($"{name} (in {value.Source}): is not a key; the nearest is '{nearest}'");
            }
        }
    }

    private static string Template(string name) => ListIndex().Replace(name, ".#");

    private static string Describe(OptionKind kind) => kind switch
    {
        OptionKind.Size => "a size such as 4096, 64KiB or 1GiB",
        OptionKind.Duration => "a time such as 500ms, 20s or 5m",
        _ => "a whole number",
    };

    private bool TryGet(OptionKey key, int index, out string text, out string place)
    {
        var name = index < 0
            ? key.Name
            : key.Name.Replace("#", index.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        var isSet = values.TryGetValue(name, out var value);
        text = value.Text ?? "";
        place = $"{name} (in {value.Source})";
        return isSet;
    }

    [GeneratedRegex(@"\.\d+(?=\.|$)")]
    private static partial Regex ListIndex();

    [GeneratedRegex(@"^nodes\.(\d{1,3})(?:\.|$)", RegexOptions.IgnoreCase)]
    private static partial Regex NodeIndex();
}
