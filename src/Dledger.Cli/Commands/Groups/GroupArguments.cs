using System.CommandLine;

namespace Dledger.Cli.Commands.Groups;

/// <summary>Settings of a consumer group as they are written on the command line.</summary>
internal static class GroupArguments
{
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
