using System.Globalization;

namespace Dledger.Cli.Commands.Groups;

/// <summary>A time as people write it: a whole number and one of s, m, h, d.</summary>
internal static class PauseTime
{
    public static TimeSpan Parse(string text)
    {
        if (text.Length > 1
            && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number > 0
            && SecondsOf(text[^1]) is > 0 and var seconds)
        {
            return TimeSpan.FromSeconds((long)number * seconds);
        }

        throw new UsageException($"'{text}' is no time.", "Write a whole number and s, m, h or d, such as 10m.");
    }

    private static int SecondsOf(char unit) => unit switch
    {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => 0,
    };
}
