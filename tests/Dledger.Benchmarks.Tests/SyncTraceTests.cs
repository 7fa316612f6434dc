using Dledger.Benchmarks.Comparisons;
using Dledger.Benchmarks.Servers;

namespace Dledger.Benchmarks.Tests;

/// <summary>Syncs are counted in what strace writes.</summary>
public sealed class SyncTraceTests
{
    [Fact]
    public void A_sync_that_another_thread_interrupts_is_counted_once()
    {
        string[] lines =
        [
            "30217 fdatasync(26)                   = 0",
            "30218 fsync(9 <unfinished ...>",
            "30219 fdatasync(27)                   = 0",
            "30218 <... fsync resumed>)            = 0",
            "30217 +++ exited with 0 +++",
        ];

        Assert.Equal(3, SyncTrace.CountSyncs(lines));
    }

    [Theory]
    [InlineData(207, 91, 89, true)]
    [InlineData(100, 52, 55, true)]
    [InlineData(100, 3, 2, false)]
    [InlineData(60, 60, 60, false)]
    public void Two_copies_of_each_message_are_synced_when_there_are_syncs_enough(int first, int second, int third, bool expected) =>
        Assert.Equal(expected, new SyncEvidence("rabbitmq", 100, [first, second, third]).Covers(2));
}
