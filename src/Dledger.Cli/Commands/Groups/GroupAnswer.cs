using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Groups;

/// <summary>A group as the commands answer it to programs.</summary>
internal sealed record GroupAnswer(string Name, bool IsFifo, int MaxAttempts, IReadOnlyList<double> BackoffSeconds)
{
    public static GroupAnswer Of(GroupDescription group) =>
        new(group.Name, group.IsFifo, group.MaxAttempts, [.. group.Backoff.Select(wait => wait.TotalSeconds)]);
}
