using System.CommandLine;
using Dledger.Cli.Commands.Clusters;
using Dledger.Cli.Output;

namespace Dledger.Cli.Commands.Members;

/// <summary><c>dledger node transfer</c>: <c>dledger cluster transfer</c> with the node as an argument.</summary>
internal static class NodeTransferCommand
{
    public static Command Create(Terminal terminal)
    {
        var target = new Argument<int>("id")
        {
            Description = "Number of the node that should lead; without it the follower that is furthest.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        return new Command("transfer", "Hand the leadership over without a gap in service.") { target }.Serving(
            terminal,
            (channel, result, isJson, cancellationToken) => ClusterTransferCommand.TransferAsync(
                terminal, channel, result.GetValue(target), isJson, cancellationToken));
    }
}
