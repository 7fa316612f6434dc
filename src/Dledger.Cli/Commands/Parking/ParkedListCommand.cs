using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Parking;

/// <summary><c>dledger parked list</c></summary>
internal static class ParkedListCommand
{
    public static Command Create(Terminal terminal)
    {
        var arguments = new ParkedArguments();
        var command = new Command("list", "Show the messages of a consumer group that wait for an operator.");
        arguments.AddTo(command);
        return command.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            var parked = await new ParkingClient(channel).ListAsync(arguments.Read(result), cancellationToken);
            Write(terminal, parked, isJson);
            return ExitCode.Ok;
        });
    }

    /// <summary>The messages, for programs or for people.</summary>
    public static void Write(Terminal terminal, ParkedMessages parked, bool isJson)
    {
        if (isJson)
        {
            JsonText.Write(terminal.Output, new { parked.Count, parked.Messages });
            return;
        }

        terminal.WriteTable(
            ["TOPIC", "QUEUE", "OFFSET", "MESSAGE", "MESSAGE GROUP", "ATTEMPTS", "SINCE", "BEHIND"],
            parked.Messages.Select(message => (string[])
            [
                message.Topic,
                Text(message.QueueId),
                Text(message.Offset),
                message.MessageId,
                message.MessageGroup ?? "-",
                Text(message.Attempts),
                message.ParkedAt.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                Text(message.WaitingBehind),
            ]));
        if (parked.Count > parked.Messages.Count)
        {
            terminal.Output.WriteLine($"{parked.Count - parked.Messages.Count} more are parked");
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
