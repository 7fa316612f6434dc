using System.Globalization;

namespace Dledger.Cli.Commands.Lookups;

/// <summary>A time on the command line: an ISO 8601 time, UTC unless it says otherwise.</summary>
internal static class TimeArgument
{
    public static DateTimeOffset? Parse(string? text, string option)
    {
        if (text is null)
        {
            return null;
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new UsageException($"{option} '{text}' is not a time.", "Write it like 2026-05-01T12:00:00Z");
    }
}
