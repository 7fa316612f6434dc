using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Clusters;

/// <summary><c>dledger cluster status</c></summary>
internal static class ClusterStatusCommand
{
    public static Command Create(Terminal terminal) =>
        new Command("status", "Show every node: role, term, commit, applied, lag.").Serving(
            terminal,
            async (channel, _, isJson, cancellationToken) =>
            {
                var cluster = await new AdminClient(channel).DescribeClusterAsync(cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new
                    {
                        cluster.GroupName,
                        LeaderId = FindLeader(cluster)?.NodeId ?? 0,
                        cluster.Nodes,
                    });
                    return ExitCode.Ok;
                }

                terminal.WriteTable(
                    ["NODE", "ADDRESS", "ROLE", "TERM", "COMMIT", "APPLIED", "END", "LAG", "STATE"],
                    cluster.Nodes.Select(node => (string[])
                    [
                        Text(node.NodeId), node.ClientAddress, RoleOf(node), Text(node.Term), Text(node.CommitPosition),
                        Text(node.AppliedPosition), Text(node.EndPosition), node.LagBytes < 0 ? "?" : Text(node.LagBytes), node.State,
                    ]));
                if (FindLeader(cluster) is null)
                {
                    terminal.Error.WriteLine("no node leads and serves; a majority of the nodes must run and reach each other");
                }

                return ExitCode.Ok;
            });

    private static NodeDescription? FindLeader(ClusterDescription cluster) =>
        cluster.Nodes.FirstOrDefault(node => node is { Role: NodeRole.Leader, IsServing: true });

    private static string RoleOf(NodeDescription node) =>
        node is { Role: NodeRole.Leader, IsServing: false } ? "leader (not serving yet)" : node.Role.ToString().ToLowerInvariant();

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
