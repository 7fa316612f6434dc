using Dledger.Chaos.Clusters;

namespace Dledger.Chaos.Trials;

/// <summary>F28: how long a node with a large log takes after <c>kill -9</c>: until it answers, until messages are acked, and
/// until a follower has everything.</summary>
internal static class LargeLogTrial
{
    private const int Rounds = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Target = TimeSpan.FromSeconds(5);

    public static async Task<TrialTable> RunAsync(ChaosOptions options, long bytes, CancellationToken cancellationToken)
    {
        var table = new TrialTable();
        await using var trial = await Trial.StartAsync(options, (bytes * options.NodeCount * 5 / 4) + (2L << 30), cancellationToken);
        var cluster = trial.Cluster;
        var filled = await trial.FillAsync(bytes, cancellationToken);
        var leader = await cluster.FindLeaderAsync() ?? throw new ChaosException("there is no leader after the load");
        table.Add("log, MiB", $"{(await cluster.AskAsync(leader))?.EndPosition >> 20}");
        table.Add("written with, MiB/s", $"{bytes / (1 << 20) / filled.TotalSeconds:0}");
        for (var round = 1; round <= Rounds; round++)
        {
            options.Progress.WriteLine($"round {round} of {Rounds}");
            leader = await cluster.FindLeaderAsync() ?? throw new ChaosException("there is no leader to kill");
            await KillAsync(trial, leader, $"{round}: {(options.NodeCount == 1 ? "the only node" : "leader")}", table, cancellationToken);
            if (cluster.Nodes.FirstOrDefault(node => node != leader) is { } other)
            {
                leader = await cluster.FindLeaderAsync();
                other = cluster.Nodes.First(node => node != leader);
                await KillAsync(trial, other, $"{round}: follower", table, cancellationToken);
            }
        }

        return table;
    }

    private static async Task KillAsync(
        Trial trial, ChaosNode node, string name, TrialTable table, CancellationToken cancellationToken)
    {
        await node.KillAsync();
        node.Start();
        var answers = await Trial.TimeAsync(
            $"{name} answers", Patience, async () => await trial.Cluster.AskAsync(node) is not null, cancellationToken);
        var acked = await Trial.TimeAsync(
            $"{name}: an ack", Patience, () => trial.Load.SendAsync(1, Patience, cancellationToken), cancellationToken);
        var whole = await Trial.TimeAsync($"{name} has everything", Patience, trial.Cluster.IsWholeAsync, cancellationToken);
        table.Add($"{name} killed, answers after", answers, Target);
        table.Add($"{name} killed, messages are acked after", answers + acked, Target);
        table.Add($"{name} killed, everybody has everything after", answers + acked + whole, Target);
    }
}
