using System.CommandLine;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Groups;

/// <summary>Settings of a consumer group as they are written on the command line.</summary>
internal static class GroupArguments
{
    /// <summary>What happens when clients of the group ask for one topic with different filters.</summary>
    public static Option<FilterMismatch?> Mismatch() => new("--mismatch")
    {
        Description = "When clients ask for one topic with different filters: report it and skip nothing that one of them wants, "
            + "or reject the later one.",
    };

    public static Option<double[]> Backoff() => new("--backoff")
    {
        Description = "Seconds between deliveries, one for each attempt; the last one repeats.",
        AllowMultipleArgumentsPerToken = true,
        HelpName = "seconds",
    };

    /// <summary>Empty when none are given.</summary>
    public static IReadOnlyList<TimeSpan> Waits(ParseResult result, Option<double[]> backoff) =>
        [.. (result.GetValue(backoff) ?? []).Select(TimeSpan.FromSeconds)];
}
