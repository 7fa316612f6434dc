using System.Globalization;

namespace Dledger.Server.Options;

/// <summary>One key of the configuration: its name, how its text is read and what it may be.</summary>
/// <param name="Name">Path with dots; <c>#</c> stands for the index in a list. Case does not matter.</param>
/// <param name="Kind">How the text is read.</param>
/// <param name="Min">Smallest value: a number, bytes, or microseconds by <paramref name="Kind"/>.</param>
/// <param name="Max">Largest value, in the same unit.</param>
/// <param name="Choices">The words of a choice, in the order of its enum.</param>
/// <param name="Meaning">What it sets, in half a line.</param>
public sealed record OptionKey(
    string Name, OptionKind Kind, long Min, long Max, IReadOnlyList<string> Choices, string Meaning)
{
    /// <summary>The allowed values in words, for messages and for the table of options.</summary>
    public string Range => Kind switch
    {
        OptionKind.Text => "text",
        OptionKind.Switch => "true or false",
        OptionKind.Choice => string.Join(", ", Choices),
        OptionKind.Integer => string.Create(CultureInfo.InvariantCulture, $"{Min}..{Max}"),
        OptionKind.Size => $"{OptionText.FormatSize(Min)}..{OptionText.FormatSize(Max)}",
        _ => $"{OptionText.FormatDuration(Min)}..{OptionText.FormatDuration(Max)}",
    };

    internal static OptionKey Text(string name, string meaning) => new(name, OptionKind.Text, 0, 0, [], meaning);

    internal static OptionKey Switch(string name, string meaning) => new(name, OptionKind.Switch, 0, 0, [], meaning);

    internal static OptionKey Integer(string name, long min, long max, string meaning) =>
        new(name, OptionKind.Integer, min, max, [], meaning);

    internal static OptionKey Size(string name, long min, long max, string meaning) =>
        new(name, OptionKind.Size, min, max, [], meaning);

    internal static OptionKey Duration(string name, TimeSpan min, TimeSpan max, string meaning) =>
        new(name, OptionKind.Duration, (long)min.TotalMicroseconds, (long)max.TotalMicroseconds, [], meaning);

    internal static OptionKey Choice(string name, string[] words, string meaning) =>
        new(name, OptionKind.Choice, 0, 0, words, meaning);

    /// <summary>Adds a problem when the value lies outside the range of this key.</summary>
    internal void Check(List<string> problems, long value)
    {
        if (value < Min || value > Max)
        {
            var shown = Kind switch
            {
                OptionKind.Size => OptionText.FormatSize(value),
                OptionKind.Duration => OptionText.FormatDuration(value),
                _ => value.ToString(CultureInfo.InvariantCulture),
            };
            problems.Add($"{Name}: {shown} is outside {Range}");
        }
    }
}
