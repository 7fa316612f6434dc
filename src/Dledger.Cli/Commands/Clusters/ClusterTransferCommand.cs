using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

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
            async (channel, result, isJson, cancellationToken) =>
            {
                var leader = await new AdminClient(channel).TransferLeadershipAsync(result.GetValue(target), cancellationToken);
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
            });
    }
}
