using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Groups;

/// <summary><c>dledger group list</c></summary>
internal static class GroupListCommand
{
    public static Command Create(Terminal terminal) =>
        new Command("list", "List the consumer groups.").Serving(
            terminal,
            async (channel, _, isJson, cancellationToken) =>
            {
                var groups = await new AdminClient(channel).ListGroupsAsync(cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new { groups = groups.Select(GroupAnswer.Of) });
                }
                else if (groups.Count == 0)
                {
                    terminal.Error.WriteLine("no groups yet; create one: dledger group create <name>");
                }
                else
                {
                    terminal.WriteTable(["GROUP", "ORDER", "MAX ATTEMPTS"], groups.Select(group => (string[])
                    [
                        group.Name,
                        group.IsFifo ? "fifo" : "concurrent",
                        group.MaxAttempts.ToString(CultureInfo.InvariantCulture),
                    ]));
                }

                return ExitCode.Ok;
            });
}
