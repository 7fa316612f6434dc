using Dledger.Testing.Disks;
using Xunit.Abstractions;

namespace Dledger.Storage.Tests.Logs;

/// <summary>Crashes at every disk call: I10, I11, I12, I14, I15, I33.</summary>
public sealed class LogCrashTests(ITestOutputHelper output)
{
    private const int StepsPerStory = 40;

    [Theory]
    [InlineData(SectorLoss.Random)]
    [InlineData(SectorLoss.All)]
    [InlineData(SectorLoss.None)]
    [InlineData(SectorLoss.KeepPrefix)]
    [InlineData(SectorLoss.KeepSuffix)]
    [InlineData(SectorLoss.FirstOnly)]
    public void A_crash_at_any_disk_call_leaves_a_valid_prefix_with_all_that_was_durable(SectorLoss loss)
    {
        for (var seed = 1; seed <= 2; seed++)
        {
            var operationCount = RunStory(seed, crashAt: null, loss);
            for (var crashAt = 1L; crashAt <= operationCount; crashAt++)
            {
                RunStory(seed, crashAt, loss);
            }
        }
    }

    [Fact]
    public void A_log_survives_crash_after_crash_also_during_recovery()
    {
        const int firstSeed = 1000;
        output.WriteLine($"seeds from {firstSeed}");
        var truncationCount = 0;
        var segmentCount = 0;
        var advanceCount = 0;
        for (var seed = firstSeed; seed < firstSeed + 200; seed++)
        {
            try
            {
                var story = RunLives(seed);
                truncationCount += story.TruncationCount;
                segmentCount += story.RollCount;
                advanceCount += story.AdvanceCount;
            }
            catch (Exception fault)
            {
                throw new InvalidOperationException($"seed {seed}", fault);
            }
        }

        Assert.True(truncationCount > 100, $"{truncationCount} truncations");
        Assert.True(segmentCount > 300, $"{segmentCount} segments");
        Assert.True(advanceCount > 100, $"{advanceCount} advances of the start");
    }

    private static LogStory RunLives(int seed)
    {
        var bench = new LogBench(seed);
        var story = new LogStory(bench);
        for (var life = 0; life < 12; life++)
        {
            try
            {
                bench.Disk.CrashAtOperation = bench.Disk.OperationCount + bench.Random.Next(1, 120);
                story.Recover();
                for (var step = 0; step < StepsPerStory; step++)
                {
                    story.Step();
                }
            }
            catch (SimulatedCrashException)
            {
                story.NotePromises();
            }

            if (bench.Random.Next(4) == 0)
            {
                bench.Disk.RestartProcess();
            }
            else
            {
                bench.Disk.LosePower((SectorLoss)bench.Random.Next(6));
            }
        }

        story.Recover();
        return story;
    }

    private static long RunStory(int seed, long? crashAt, SectorLoss loss)
    {
        var bench = new LogBench(seed);
        var story = new LogStory(bench);
        bench.Disk.CrashAtOperation = crashAt;
        try
        {
            story.Recover();
            for (var step = 0; step < StepsPerStory; step++)
            {
                story.Step();
            }

            if (crashAt is null)
            {
                return bench.Disk.OperationCount;
            }
        }
        catch (SimulatedCrashException)
        {
            story.NotePromises();
        }

        try
        {
            bench.Disk.LosePower(loss);
            story.Recover();
            for (var step = 0; step < 5; step++)
            {
                story.Step();
            }

            bench.Disk.LosePower(loss);
            story.Recover();
        }
        catch (Exception fault)
        {
            throw new InvalidOperationException($"seed {seed}, crash at call {crashAt}, {loss}", fault);
        }

        return bench.Disk.OperationCount;
    }
}
