using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Members;

/// <summary><c>dledger node remove</c></summary>
internal static class NodeRemoveCommand
{
    public static Command Create(Terminal terminal)
    {
        var id = new Argument<int>("id") { Description = "Number of the node; the leader may be removed as well." };
        var timeout = MembershipWait.Timeout();
        return new Command("remove", "Take a node out of the cluster. Stop it and delete its data afterwards.") { id, timeout }
            .Serving(
                terminal,
                async (channel, result, isJson, cancellationToken) =>
                {
                    var node = result.GetValue(id);
                    var admin = new AdminClient(channel);
                    var progress = await MembershipWait.UntilDoneAsync(
                        terminal, result.GetValue(timeout), () => admin.RemoveNodeAsync(node, cancellationToken));
                    return MembershipWait.Report(
                        terminal, isJson, progress, node, $"node {node} is no member", $"Node {node} is still a member");
                });
    }
}
