using Dledger.Bench.Machines;
using Dledger.Bench.Measuring;
using Dledger.Bench.Reports;
using Dledger.Bench.Targets;
using Dledger.Bench.Workloads;

namespace Dledger.Bench.Tests.Reports;

public sealed class MarkdownSectionTests
{
    [Fact]
    public void A_section_has_the_origin_the_command_a_row_for_each_load_and_what_must_be_said_beside_them()
    {
        var expected = """

            ### produce, 2026-11-30 16:05 UTC

            - produce: 2026-11-30 16:05 UTC, dledger 1.2.3+abc, Some CPU, 2 cores, 4.0 GiB, Linux 6.1, .NET 10.0.1
            - cluster of 3 nodes, QUORUM_SYNC
            - dledger v2: an ack means fsync on 2

            ```
            dledger bench produce --in-flight 64
            ```

            | size | phase | load | in flight | batch | msg/s | mib/s | p50 ms | p90 ms | p99 ms | p99.9 ms | max ms | late p99 | failed | others |
            | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
            | 1024 | produce | produce | 64 | 1 | 5000 | 4.9 | 0.50 | 0.90 | 1.50 | 2.50 | 9.13 | - | 2 | 0.35 |

            - a / b: 1.250
            - produce: CPU seconds per million messages: generator 10.0, 3 nodes here 30.0; 200 MiB memory in the largest
            - produce, produce: 2 x Timeout: it &lt;took\|too> long
            - produce: DISTURBED, other processes used 0.35 cores (limit 0.2); measure again
            - A note.
            - interrupted: the figures are those until then

            """.ReplaceLineEndings("\n");

        Assert.Equal(expected, MarkdownSection.Of(Report()));
    }

    internal static BenchReport Report()
    {
        var load = new LoadResult(
            "produce", 64, 1, 50_000, 51_200_000, 50_000, 10, new LatencySummary(50_000, 0.6, 0.5, 0.9, 1.5, 2.5, 9.125), null,
            new Dictionary<string, BenchError> { ["Timeout"] = new(2, "it <took|too>\nlong") });
        var phase = new PhaseResult("produce", [load], 0.35, 0, new NodeUsage(3, 1.5, 200 << 20, 0, 0)) { GeneratorCpuSeconds = 0.5 };
        var machine = new MachineDescription(
            new DateTimeOffset(2026, 11, 30, 16, 5, 0, TimeSpan.Zero), "1.2.3+abc", "Linux 6.1", "Some CPU", 2, 4L << 30, "10.0.1");
        var run = new RunResult(
            "dledger v2", new AckPromise(AckDurability.Synced, 2), new WorkloadOptions(), [phase],
            new Dictionary<string, double> { ["a / b"] = 1.25 }, ["A note."], IsInterrupted: true);
        return new BenchReport("produce", "dledger bench produce --in-flight 64", machine, new ClusterSummary(3, "QUORUM_SYNC", []), [run]);
    }
}
