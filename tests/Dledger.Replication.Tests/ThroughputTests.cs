using Dledger.Replication.Tests.Clusters;
using Xunit.Abstractions;

namespace Dledger.Replication.Tests;

public sealed class ThroughputTests(ITestOutputHelper output)
{
    /// <summary>Prints rough figures of this machine; all nodes share one process and one disk.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Proposals_of_one_kibibyte_flow_with_1_16_and_64_in_flight(int nodeCount)
    {
        await using var cluster = TestCluster.Started(nodeCount);
        var leader = await cluster.WaitForLeaderAsync();
        await MeasureAsync(leader, 16);
        foreach (var inFlight in new[] { 1, 16, 64 })
        {
            var (count, latencies, elapsed) = await MeasureAsync(leader, inFlight);

            Assert.True(count > 0);
            latencies.Sort();
            output.WriteLine(
                $"{nodeCount} node(s), {inFlight} in flight: {count / elapsed.TotalSeconds:F0}/s, "
                + $"p50 {latencies[latencies.Count / 2]:F2} ms, p99 {latencies[latencies.Count * 99 / 100]:F2} ms");
        }
    }

    private static async Task<(int Count, List<double> Latencies, TimeSpan Elapsed)> MeasureAsync(
        TestNode leader, int inFlight)
    {
        var time = TimeProvider.System;
        var started = time.GetTimestamp();
        var all = await Task.WhenAll(Enumerable.Range(0, inFlight).Select(_ => Task.Run(async () =>
        {
            var latencies = new List<double>();
            var body = new byte[1024];
            while (time.GetElapsedTime(started) < TimeSpan.FromSeconds(1))
            {
                var proposal = new TestProposal(body);
                var proposedAt = time.GetTimestamp();
                Assert.True(leader.Running.TryPropose(proposal, out var failure), $"{failure}");
                Assert.NotNull((await proposal.Outcome).Position);
                latencies.Add(time.GetElapsedTime(proposedAt).TotalMilliseconds);
            }

            return latencies;
        })));
        var merged = all.SelectMany(latencies => latencies).ToList();
        return (merged.Count, merged, time.GetElapsedTime(started));
    }
}
