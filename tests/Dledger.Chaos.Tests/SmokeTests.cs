using Dledger.Chaos.Clusters;
using Dledger.Chaos.Faults;
using Xunit.Abstractions;

namespace Dledger.Chaos.Tests;

/// <summary>A short run with real nodes that needs no rights: every fault once, in a fixed order.</summary>
public sealed class SmokeTests(ITestOutputHelper output)
{
    private const int Seed = 20_260;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    [Fact]
    public async Task Kills_a_freeze_and_a_planned_stop_lose_nothing_and_break_no_promise()
    {
        var directory = Directory.CreateTempSubdirectory("dledger-chaos-smoke-").FullName;
        using var limit = new CancellationTokenSource(Patience);
        using var progress = new StringWriter();
        var faults = FaultCatalogue.Named(["kill-leader", "freeze-leader", "planned-stop", "kill-all"]);
        try
        {
            var report = await ChaosRun.ExecuteAsync(
                new ChaosOptions
                {
                    Seed = Seed,
                    Faults = faults,
                    Rounds = faults.Count,
                    Rate = 100,
                    AckedMin = 200,
                    HoldMax = TimeSpan.FromSeconds(2),
                    Rest = (TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3)),
                    HealTimeMax = TimeSpan.FromSeconds(40),
                    OutputDirectory = directory,
                    Binary = BrokerBinary.Find(),
                    Progress = TextWriter.Synchronized(progress),
                },
                limit.Token);
            Reports.ReportTable.Write(report, progress);

            Assert.True(report.Verdict.Findings.Count == 0, progress.ToString());
            Assert.True(report.Acked > 200 && report.Lost == 0 && report.LeaderChanges >= 2, progress.ToString());
            Assert.All(report.Faults, fault => Assert.Equal((1, 1), (fault.Injected, fault.Bit)));
        }
        finally
        {
            output.WriteLine($"seed {Seed}\n{progress}");
            Directory.Delete(directory, recursive: true);
        }
    }
}
