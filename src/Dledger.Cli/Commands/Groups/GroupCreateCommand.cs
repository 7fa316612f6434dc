using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Groups;

/// <summary><c>dledger group create</c></summary>
internal static class GroupCreateCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "Letters, digits, '%', '-', '_' and '|'." };
        var fifo = new Option<bool>("--fifo") { Description = "Deliver messages of one message group one after another." };
        var attempts = new Option<int>("--max-attempts")
        {
            Description = "Deliveries before a message becomes a dead letter; 0: the default of 17.",
        };
        var backoff = GroupArguments.Backoff();
        var mismatch = GroupArguments.Mismatch();
        var modes = new GroupModeArguments();
        var command = new Command("create", "Create a consumer group; the same one again is no fault.")
        {
            name, fifo, attempts, backoff, mismatch,
        };
        modes.AddTo(command);
        var dedup = GroupDedupArguments.AddTo(command);
        return command.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
            {
                var wanted = new GroupDescription(result.GetValue(name)!, result.GetValue(fifo), result.GetValue(attempts))
                {
                    Backoff = GroupArguments.Waits(result, backoff),
                    Mismatch = result.GetValue(mismatch) ?? FilterMismatch.Report,
                    Modes = modes.Read(result),
                    Dedup = dedup.Read(result),
                };
                var group = await new AdminClient(channel).CreateGroupAsync(wanted, cancellationToken);
                GroupAnswer.Write(terminal, group, isJson);
                return ExitCode.Ok;
            });
    }
}
