using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;
using Dledger.Client.Connections;

namespace Dledger.Cli.Commands.Clusters;

/// <summary><c>dledger cluster transfer</c></summary>
internal static class ClusterTransferCommand
{
    public static Command Create(Terminal terminal)
    {
        var target = new Option<int>("--to")
        {
            Description = "Number of the node that should lead; 0: the follower that is furthest.",
            HelpName = "node",
        };
        return new Command("transfer", "Hand the leadership over without a gap in service.") { target }.Serving(
            terminal,
            (channel, result, isJson, cancellationToken) =>
                TransferAsync(terminal, channel, result.GetValue(target), isJson, cancellationToken));
    }

    /// <summary>Transfers and says who leads then.</summary>
    public static async Task<ExitCode> TransferAsync(
        Terminal terminal, DledgerChannel channel, int target, bool isJson, CancellationToken cancellationToken)
    {
        var leader = await new AdminClient(channel).TransferLeadershipAsync(target, cancellationToken);
        if (isJson)
        {
            JsonText.Write(terminal.Output, new { leaderId = leader });
        }
        else
        {
            terminal.Output.WriteLine(leader == 0
                ? "the leadership was handed over; who took it is not known yet"
                : $"node {leader} leads");
        }

        return ExitCode.Ok;
    }
}
