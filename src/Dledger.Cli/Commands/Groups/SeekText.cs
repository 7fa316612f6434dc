using System.Globalization;
using Dledger.Client.Administration;
using Dledger.Server.Options;

namespace Dledger.Cli.Commands.Groups;

/// <summary>Where a group is to go, as it is written on the command line.</summary>
internal static class SeekText
{
    public const string Forms =
        "earliest, latest, offset:N, time:2026-05-01T08:00:00Z, time:-1h (an hour ago), +N or -N (messages)";

    /// <summary>Null when the text says no place.</summary>
    public static GroupSeek? Parse(string text, DateTimeOffset now)
    {
        if (text is "earliest" or "latest")
        {
            return text == "earliest" ? GroupSeek.ToEarliest : GroupSeek.ToLatest;
        }

        if (text.StartsWith("offset:", StringComparison.Ordinal))
        {
            return TryNumber(text["offset:".Length..], NumberStyles.None, out var offset) ? GroupSeek.ToOffset(offset) : null;
        }

        if (text.StartsWith("time:", StringComparison.Ordinal))
        {
            return ParseTime(text["time:".Length..], now) is { } time ? GroupSeek.ToTime(time) : null;
        }

        return text.Length > 1 && text[0] is '+' or '-' && TryNumber(text, NumberStyles.AllowLeadingSign, out var messages)
            ? GroupSeek.By(messages)
            : null;
    }

    private static DateTimeOffset? ParseTime(string text, DateTimeOffset now)
    {
        if (text.StartsWith('-'))
        {
            return OptionText.TryParseDuration(text[1..], out var ago) && now.Ticks / TimeSpan.TicksPerMicrosecond > ago
                ? now.AddTicks(-ago * TimeSpan.TicksPerMicrosecond)
                : null;
        }

        return DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time)
            ? time
            : null;
    }

    private static bool TryNumber(string text, NumberStyles style, out long number) =>
        long.TryParse(text, style, CultureInfo.InvariantCulture, out number);
}
