using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Members;

/// <summary><c>dledger node list</c></summary>
internal static class NodeListCommand
{
    public static Command Create(Terminal terminal) =>
        new Command("list", "Show every node: its part in the cluster, its role now, its addresses.").Serving(
            terminal,
            async (channel, _, isJson, cancellationToken) =>
            {
                var cluster = await new AdminClient(channel).DescribeClusterAsync(cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, cluster.Nodes.Select(node => new
                    {
                        node.NodeId,
                        node.MemberRole,
                        node.Role,
                        node.IsDrained,
                        node.PeerAddress,
                        node.ClientAddress,
                        node.LagBytes,
                        node.State,
                    }));
                    return ExitCode.Ok;
                }

                terminal.WriteTable(
                    ["NODE", "MEMBER", "ROLE", "PEER ADDRESS", "CLIENT ADDRESS", "LAG", "STATE"],
                    cluster.Nodes.Select(node => (string[])
                    [
                        Text(node.NodeId),
                        node.MemberRole.ToString().ToLowerInvariant(),
                        node.Role.ToString().ToLowerInvariant() + (node.IsDrained ? ", drained" : ""),
                        node.PeerAddress,
                        node.ClientAddress,
                        node.LagBytes < 0 ? "?" : Text(node.LagBytes),
                        node.State,
                    ]));
                return ExitCode.Ok;
            });

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
