using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Deletes lite topics while faults are on, whatever they hold; also such as there are not.</summary>
internal sealed class LiteOperator(SimulatedCluster cluster, LiteWorkload workload)
{
    private readonly string[] _names = [.. workload.Names];

    public async Task RunAsync()
    {
        while (!cluster.IsHealed)
        {
            await cluster.Calls.DelayAsync(workload.EndRandom.NextInterval(3 * cluster.Scenario.ElectionTimeout));
            var name = workload.EndRandom.Pick(_names);
            var node = cluster.Calls.Choose();
            var (isAnswered, failure) = await cluster.Calls.CallAsync(
                node,
                broker => broker.DeleteLiteAsync(LiteHistory.Topic, name, CancellationToken.None),
                cluster.Scenario.CallPatience);
            if (isAnswered)
            {
                cluster.Calls.Learn(node, failure);
            }
        }
    }
}
