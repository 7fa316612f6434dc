using Dledger.Chaos.Clusters;
using Dledger.Chaos.Faults;
using Dledger.Chaos.Features;
using Xunit.Abstractions;

namespace Dledger.Chaos.Tests;

/// <summary>Every feature once, with real nodes whose leader is killed in the middle.</summary>
public sealed class FeatureTests(ITestOutputHelper output)
{
    private const int Seed = 411;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Every_feature_keeps_its_promise_when_the_leader_dies_in_the_middle()
    {
        var directory = Directory.CreateTempSubdirectory("dledger-features-").FullName;
        using var limit = new CancellationTokenSource(Patience);
        using var progress = new StringWriter();
        try
        {
            var table = await FeatureTrial.RunAsync(
                new ChaosOptions
                {
                    Seed = Seed,
                    Faults = FaultCatalogue.Named(["kill-leader"]),
                    OutputDirectory = directory,
                    Binary = BrokerBinary.Find(),
                    Progress = TextWriter.Synchronized(progress),
                },
                FeatureCatalogue.All,
                rounds: 1,
                limit.Token);
            table.Write(progress);

            Assert.True(table.IsMet, progress.ToString());
        }
        finally
        {
            output.WriteLine($"seed {Seed}\n{progress}");
            Directory.Delete(directory, recursive: true);
        }
    }
}
