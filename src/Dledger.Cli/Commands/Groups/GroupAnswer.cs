using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Groups;

/// <summary>A group as the commands answer it.</summary>
internal sealed record GroupAnswer(string Name, bool IsFifo, int MaxAttempts, IReadOnlyList<double> BackoffSeconds)
{
    public static GroupAnswer Of(GroupDescription group) =>
        new(group.Name, group.IsFifo, group.MaxAttempts, [.. group.Backoff.Select(wait => wait.TotalSeconds)]);

    /// <summary>One group, for programs or for people.</summary>
    public static void Write(Terminal terminal, GroupDescription group, bool isJson)
    {
        if (isJson)
        {
            JsonText.Write(terminal.Output, Of(group));
        }
        else
        {
            terminal.Output.WriteLine($"group {group.Name}, {group.MaxAttempts} attempts{(group.IsFifo ? ", in order" : "")}");
        }
    }
}
