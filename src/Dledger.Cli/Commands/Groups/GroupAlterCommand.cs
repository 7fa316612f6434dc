using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Groups;

/// <summary><c>dledger group alter</c></summary>
internal static class GroupAlterCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "The consumer group." };
        var attempts = new Option<int?>("--max-attempts")
        {
            Description = "Deliveries before a message becomes a dead letter, 1 to 10000.",
        };
        var backoff = GroupArguments.Backoff();
        var mismatch = GroupArguments.Mismatch();
        var modes = new GroupModeArguments();
        var command = new Command("alter", "Change a consumer group; what is not given stays as it is.") { name, attempts, backoff, mismatch };
        modes.AddTo(command);
        var dedup = GroupDedupArguments.AddTo(command);
        return command.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
            {
                var alteration = new GroupAlteration(result.GetValue(name)!)
                {
                    MaxAttempts = result.GetValue(attempts),
                    Backoff = GroupArguments.Waits(result, backoff),
                    Mismatch = result.GetValue(mismatch),
                    Modes = modes.Read(result),
                    Dedup = dedup.Read(result),
                };
                if (alteration is { MaxAttempts: null, Backoff.Count: 0, Mismatch: null }
                    && alteration.Modes == new GroupModes()
                    && alteration.Dedup == new GroupDedup())
                {
                    throw new UsageException(
                        "Nothing is to be changed.", "Give --max-attempts, --backoff, --mismatch, a mode or --dedup-by.");
                }

                var group = await new AdminClient(channel).AlterGroupAsync(alteration, cancellationToken);
                GroupAnswer.Write(terminal, group, isJson);
                return ExitCode.Ok;
            });
    }
}
