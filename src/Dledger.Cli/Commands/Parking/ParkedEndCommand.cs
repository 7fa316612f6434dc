using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Parking;

/// <summary><c>dledger parked release</c> and <c>dledger parked drop</c></summary>
internal static class ParkedEndCommand
{
    public static Command CreateRelease(Terminal terminal) => Create(
        terminal,
        new Command("release", "Deliver parked messages again, in order, as if they had never been delivered."),
        drops: false);

    public static Command CreateDrop(Terminal terminal) => Create(
        terminal, new Command("drop", "Move parked messages to the dead letter topic."), drops: true);

    private static Command Create(Terminal terminal, Command command, bool drops)
    {
        var arguments = new ParkedArguments();
        var dryRun = new Option<bool>("--dry-run") { Description = "Show which messages are meant, and change nothing." };
        arguments.AddTo(command);
        command.Options.Add(dryRun);
        return command.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            var parking = new ParkingClient(channel);
            var selector = arguments.Read(result);
            if (result.GetValue(dryRun))
            {
                ParkedListCommand.Write(terminal, await parking.ListAsync(selector, cancellationToken), isJson);
                return ExitCode.Ok;
            }

            var count = drops
                ? await parking.DropAsync(selector, cancellationToken)
                : await parking.ReleaseAsync(selector, cancellationToken);
            if (isJson)
            {
                JsonText.Write(terminal.Output, new { group = selector.Group, count });
            }
            else
            {
                terminal.Output.WriteLine(drops
                    ? $"{count} messages moved to the dead letters of group {selector.Group}"
                    : $"{count} messages of group {selector.Group} are delivered again");
            }

            return ExitCode.Ok;
        });
    }
}
