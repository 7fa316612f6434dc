using System.CommandLine;
using Dledger.Cli.Commands.Messages;
using Dledger.Cli.Output;

namespace Dledger.Cli.Commands.Timers;

/// <summary><c>dledger timer move</c>: gives delayed messages another delivery time.</summary>
internal static class TimerMoveCommand
{
    public static Command Create(Terminal terminal)
    {
        var all = new Option<bool>("--all") { Description = "All of the topic, where nothing else is given." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only list what would be moved." };
        var command = new Command("move", "Give delayed messages another delivery time.") { all, dryRun };
        var arguments = TimerArguments.AddTo(command);
        var delivery = DeliveryArguments.AddTo(command);
        return command.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            if (delivery.DeliverAt(result) is not { } deliverAt)
            {
                throw new UsageException("The new time is missing.", "Add --delay, --deliver-at or --delay-level.");
            }

            if (!arguments.IsNarrowed(result) && !result.GetValue(all))
            {
                throw new UsageException(
                    $"This would move every delayed message of topic '{arguments.Topic(result)}'.",
                    "Add --key, --id, --from, --until, or --all.");
            }

            var selection = arguments.Selection(result);
            var change = new TimerChange(channel, terminal, selection, isJson, "moved");
            return result.GetValue(dryRun)
                ? await change.TryOutAsync(cancellationToken)
                : await change.RunAsync(
                    (client, page, size) => client.MoveAsync(selection, deliverAt, size, page, cancellationToken));
        });
    }
}
