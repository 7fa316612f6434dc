using Dledger.Chaos.Clusters;
using Dledger.Chaos.Histories;

namespace Dledger.Chaos.Workers;

/// <summary>Asks one node for its role, term and commit position, over and over.</summary>
internal sealed class Observer(Workload workload, ChaosNode node)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                var life = node.Life;
                if (node.IsRunning && await workload.Cluster.AskAsync(node) is { } status && node.Life == life && node.IsRunning)
                {
                    workload.Recorder.Record(new HistoryEntry
                    {
                        Function = "node",
                        Node = node.Id,
                        Event = status.Role.ToString().ToLowerInvariant(),
                        Term = status.Term,
                        Commit = status.CommitPosition,
                        Life = life,
                    });
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }
}
