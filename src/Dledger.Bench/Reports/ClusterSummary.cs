using Dledger.Client.Administration;

namespace Dledger.Bench.Reports;

/// <summary>The measured cluster as its nodes describe it.</summary>
/// <param name="NodeCount">Nodes, whether they answered or not.</param>
/// <param name="FlushMode">When a copy counts as durable; <c>mixed</c> when the nodes differ, empty when none said.</param>
/// <param name="Nodes">Each of them.</param>
public sealed record ClusterSummary(int NodeCount, string FlushMode, IReadOnlyList<NodeSummary> Nodes)
{
    public static ClusterSummary Of(ClusterDescription cluster)
    {
        var modes = cluster.Nodes.Select(node => node.FlushMode).Where(mode => mode.Length > 0).Distinct().ToArray();
        return new ClusterSummary(
            cluster.Nodes.Count,
            modes.Length > 1 ? "mixed" : modes.FirstOrDefault() ?? "",
            [.. cluster.Nodes.Select(node =>
                new NodeSummary(node.NodeId, node.ClientAddress, node.Role, node.FlushMode, node.Version))]);
    }
}

/// <summary>One node.</summary>
/// <param name="NodeId">Its number.</param>
/// <param name="Address">Where clients reach it.</param>
/// <param name="Role">When the run began.</param>
/// <param name="FlushMode">Empty: unknown.</param>
/// <param name="Version">Empty: unknown.</param>
public sealed record NodeSummary(int NodeId, string Address, NodeRole Role, string FlushMode, string Version);
