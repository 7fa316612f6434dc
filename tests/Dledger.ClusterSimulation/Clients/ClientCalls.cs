using Dledger.Broker;
using Dledger.ClusterSimulation.Nodes;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>How clients reach nodes: they find the one that serves, wait with a limit, and never learn more than an answer.</summary>
internal sealed class ClientCalls(SimulatedCluster cluster)
{
    private NodeId _hint;

    /// <summary>Continues after simulated time.</summary>
    public Task DelayAsync(long microseconds)
    {
        var done = new TaskCompletionSource();
        cluster.Events.After(microseconds, done.SetResult);
        return done.Task;
    }

    /// <summary>A node to try: the one that served last, or any.</summary>
    public SimulatedNode Choose()
    {
        var hinted = cluster.Nodes.FirstOrDefault(node => node.Id == _hint);
        return hinted is { IsUp: true } && cluster.Random.Chance(0.8) ? hinted : cluster.Random.Pick(cluster.Nodes);
    }

    /// <summary>Learns from an answer which node to ask next.</summary>
    public void Learn(SimulatedNode asked, BrokerFailure? failure) =>
        _hint = failure is { } refusal ? refusal.Leader : asked.Id;

    /// <summary>
    /// Calls a node. No answer (false) when the process is paused or dies, or the answer takes too long; then anything may
    /// have happened.
    /// </summary>
    public async Task<(bool IsAnswered, T? Answer)> CallAsync<T>(
        SimulatedNode node, Func<BrokerNode, ValueTask<T>> call, long patience)
    {
        await DelayAsync(cluster.Random.NextInterval(cluster.Scenario.Latency));
        var life = node.Life;
        while (node.IsPaused && node.Life == life && node.PausedUntil - cluster.Events.Now < patience)
        {
            // The kernel takes the call; the process finds it when it goes on, among all that has come meanwhile.
            var wait = node.PausedUntil - cluster.Events.Now + cluster.Random.NextInterval(cluster.Scenario.Reaction);
            patience = Math.Max(1, patience - wait);
            await DelayAsync(wait);
        }

        if (node.Broker is not { } broker || node.IsPaused || node.Life != life)
        {
            // Never arrived; but the client cannot know that.
            await DelayAsync(patience);
            return (false, default);
        }

        var answer = call(broker).AsTask();
        var gaveUp = new TaskCompletionSource();
        cluster.Events.After(patience, () => gaveUp.TrySetResult());
        await Task.WhenAny(answer, gaveUp.Task);
        if (!answer.IsCompletedSuccessfully)
        {
            // What a killed process would have done with the call is nobody's business.
            cluster.Checks.Check(
                "I32",
                !answer.IsFaulted || !ReferenceEquals(node.Broker, broker),
                $"a call ended in an exception: {answer.Exception}");
            return (false, default);
        }

        var value = await answer;
        await DelayAsync(cluster.Random.NextInterval(cluster.Scenario.Latency));
        return (true, value);
    }

    /// <summary>Asks one node after the other until a topic or a group is there, made by this call or before.</summary>
    /// <param name="random">Picks the nodes.</param>
    /// <param name="create">Makes it.</param>
    /// <param name="atOnce">Without a pause before each try.</param>
    public async Task UntilThereAsync(
        SimulationRandom random, Func<BrokerNode, ValueTask<BrokerFailure?>> create, bool atOnce = false)
    {
        while (true)
        {
            if (!atOnce)
            {
                await DelayAsync(cluster.Scenario.ElectionTimeout / 4);
            }

            var (isAnswered, failure) = await CallAsync(random.Pick(cluster.Nodes), create, cluster.Scenario.CallPatience);
            if (isAnswered && (failure is null || failure.Value.Error == BrokerError.AlreadyExists))
            {
                return;
            }
        }
    }

    public static bool IsUnknown(BrokerFailure failure) => failure.Error == BrokerError.OutcomeUnknown;
}
