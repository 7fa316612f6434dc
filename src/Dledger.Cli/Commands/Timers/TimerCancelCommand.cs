using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Producing;

namespace Dledger.Cli.Commands.Timers;

/// <summary><c>dledger timer cancel</c>: takes delayed messages back.</summary>
internal static class TimerCancelCommand
{
    public static Command Create(Terminal terminal)
    {
        var handle = new Option<string?>("--handle") { Description = "The one with this recall handle." };
        var all = new Option<bool>("--all") { Description = "All of the topic, where nothing else is given." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only list what would be cancelled." };
        var command = new Command("cancel", "Take delayed messages back: they are never delivered.") { handle, all, dryRun };
        var arguments = TimerArguments.AddTo(command);
        return command.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            var topic = arguments.Topic(result);
            if (result.GetValue(handle) is { } recall)
            {
                if (arguments.IsNarrowed(result) || result.GetValue(all) || result.GetValue(dryRun))
                {
                    throw new UsageException("--handle names one message; nothing else can be given with it.");
                }

                var id = await new Producer(channel).RecallAsync(topic, recall, cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new { cancelled = id });
                }
                else
                {
                    terminal.Output.WriteLine($"message {id} cancelled");
                }

                return ExitCode.Ok;
            }

            if (!arguments.IsNarrowed(result) && !result.GetValue(all))
            {
                throw new UsageException(
                    $"This would cancel every delayed message of topic '{topic}'.", "Add --key, --id, --from, --until, or --all.");
            }

            var selection = arguments.Selection(result);
            var change = new TimerChange(channel, terminal, selection, isJson, "cancelled");
            return result.GetValue(dryRun)
                ? await change.TryOutAsync(cancellationToken)
                : await change.RunAsync((client, page, size) => client.CancelAsync(selection, size, page, cancellationToken));
        });
    }
}
