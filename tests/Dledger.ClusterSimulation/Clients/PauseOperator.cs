using Dledger.Broker;
using Dledger.ClusterSimulation.Oracles;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// Pauses a group, for a while or until it resumes it. In the last phase it resumes the group, or lets a last short pause run out.
/// </summary>
internal sealed class PauseOperator(SimulatedCluster cluster, ModeHistory history)
{
    private int _number;

    public async Task RunAsync()
    {
        while (!cluster.IsHealed)
        {
            await cluster.Calls.DelayAsync(history.Random.NextInterval(2 * cluster.Scenario.ElectionTimeout));
            if (history.Random.Chance(0.6))
            {
                await PauseAsync(history.Random.Chance(0.6) ? Duration() : TimeSpan.Zero);
            }
            else
            {
                await ResumeAsync();
            }
        }

        var resumes = history.Random.Chance(0.5);
        while (!await (resumes ? ResumeAsync() : PauseAsync(Duration())))
        {
            await cluster.Calls.DelayAsync(history.Random.NextInterval(cluster.Scenario.ElectionTimeout));
        }
    }

    // 1 ms is the least that makes sense to anybody.
    private TimeSpan Duration() => TimeSpan.FromMicroseconds(history.Random.NextLogarithmic(1_000, 2 * cluster.Scenario.ElectionTimeout));

    private async Task<bool> PauseAsync(TimeSpan duration)
    {
        var reason = $"pause {++_number}";
        var isDone = await CallAsync(broker => broker.PauseGroupAsync(ModeHistory.Group, reason, duration, CancellationToken.None));
        if (isDone)
        {
            history.PauseConfirmed(reason);
        }

        return isDone;
    }

    private Task<bool> ResumeAsync() =>
        CallAsync(broker => broker.ResumeGroupAsync(ModeHistory.Group, CancellationToken.None));

    private async Task<bool> CallAsync(Func<BrokerNode, ValueTask<BrokerFailure?>> call)
    {
        var node = cluster.Calls.Choose();
        var (isAnswered, failure) = await cluster.Calls.CallAsync(node, call, cluster.Scenario.CallPatience);
        if (isAnswered)
        {
            cluster.Calls.Learn(node, failure);
        }

        return isAnswered && failure is null;
    }
}
