using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Trials;

namespace Dledger.Chaos.Features;

/// <summary>Every feature in rounds, each of which loses its leader to <c>kill -9</c> at a random moment.</summary>
internal static class FeatureTrial
{
    private static readonly TimeSpan KillWithin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RoundTimeMax = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan WholePatience = TimeSpan.FromSeconds(30);

    public static async Task<TrialTable> RunAsync(
        ChaosOptions options, IReadOnlyList<IFeature> features, int rounds, CancellationToken cancellationToken)
    {
        var table = new TrialTable();
        await using var trial = await Trial.StartAsync(options, 1L << 30, cancellationToken);
        using var client = new PatientClient(trial.Cluster.Nodes, "feature-client");
        foreach (var feature in features)
        {
            var findings = new List<string>();
            var checks = 0;
            for (var number = 1; number <= rounds; number++)
            {
                var random = new Random(HashOf(options.Seed, feature.Name, number));
                var round = new FeatureRound(client, $"{feature.Name}-{number}", random);
                await RunAsync(trial.Cluster, feature, round, cancellationToken);
                checks += round.Checks;
                findings.AddRange(round.Findings.Select(finding => $"round {number}: {finding}"));
                options.Progress.WriteLine(
                    $"{feature.Name} round {number} of {rounds}: {round.Checks} checks, {round.Findings.Count} broken");
            }

            findings.ForEach(finding => options.Progress.WriteLine($"{feature.Name} {finding}"));
            table.Add($"{feature.Name}, {rounds} kills", $"{checks} checks", "none broken", findings.Count == 0 && checks > 0);
        }

        return table;
    }

    private static async Task RunAsync(
        ChaosCluster cluster, IFeature feature, FeatureRound round, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(RoundTimeMax);
        var running = feature.RunAsync(round, limit.Token);
        await Wait.ForAsync(round.Random.NextDouble() * KillWithin, cancellationToken);
        var leader = await cluster.FindLeaderAsync();
        round.Check(leader is not null, "there was no leader to kill");
        if (leader is not null)
        {
            await leader.KillAsync();
            leader.Start();
        }

        round.NoteLeaderDied();

        try
        {
            await running;
        }
        catch (Exception exception) when (exception is OperationCanceledException or Grpc.Core.RpcException
            && limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            round.Check(false, $"the round did not end within {RoundTimeMax.TotalSeconds} s");
        }

        round.Check(
            await Wait.UntilAsync(WholePatience, cluster.IsWholeAsync, cancellationToken), "the cluster did not become whole again");
    }

    // The same seed, feature and round draw the same on every machine.
    private static int HashOf(int seed, string feature, int round) =>
        feature.Aggregate((seed * 397) ^ round, (hash, letter) => unchecked((hash * 31) + letter));
}
