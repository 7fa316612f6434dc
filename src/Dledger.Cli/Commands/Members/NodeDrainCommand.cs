using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Members;

/// <summary><c>dledger node drain</c></summary>
internal static class NodeDrainCommand
{
    public static Command Create(Terminal terminal)
    {
        var id = new Argument<int>("id") { Description = "Number of the node." };
        var undo = new Option<bool>("--undo") { Description = "Let the node lead again." };
        return new Command("drain", "Keep the leadership away from a node until --undo or its next start.") { id, undo }
            .Serving(
                terminal,
                async (channel, result, isJson, cancellationToken) =>
                {
                    var node = result.GetValue(id);
                    var isUndone = result.GetValue(undo);
                    var leader = await new AdminClient(channel).DrainNodeAsync(node, isUndone, cancellationToken);
                    if (isJson)
                    {
                        JsonText.Write(terminal.Output, new { nodeId = node, isDrained = !isUndone, leaderId = leader });
                    }
                    else
                    {
                        terminal.Output.WriteLine(isUndone
                            ? $"node {node} may lead again"
                            : $"node {node} is drained; it still stores and votes");
                    }

                    return ExitCode.Ok;
                });
    }
}
