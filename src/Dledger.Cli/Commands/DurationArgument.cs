using Dledger.Server.Options;

namespace Dledger.Cli.Commands;

/// <summary>Options whose values are durations above zero.</summary>
internal static class DurationArgument
{
    /// <param name="option">The option, for the message.</param>
    /// <param name="text">What was given to it.</param>
    /// <param name="example">What a good value looks like.</param>
    /// <exception cref="UsageException">It is none, or zero.</exception>
    public static TimeSpan Parse(string option, string text, string example) =>
        OptionText.TryParseDuration(text, out var microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds)
            : throw new UsageException(
                $"{option} '{text}' is not a time above zero.", $"Write a number and ms, s, m or h, such as {example}.");
}
