using System.Diagnostics;
using Dledger.Bench.Machines;

namespace Dledger.Bench.Tests.Machines;

public sealed class NeighbourLoadTests
{
    [Fact]
    public void The_work_of_this_process_is_nobody_elses()
    {
        var sample = CpuSample.Take([Environment.ProcessId]);
        for (var begin = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begin) < TimeSpan.FromMilliseconds(300);)
        {
            Math.Sqrt(begin);
        }

        var after = CpuSample.Take([Environment.ProcessId]);

        Assert.True(after.Own > sample.Own);
        Assert.True(after.Busy - sample.Busy >= after.Own - sample.Own - 0.05);
    }

    [Fact]
    public void A_process_that_is_gone_used_nothing() => Assert.Equal(0, CpuSample.SecondsOf(int.MaxValue));

    [Fact]
    public void A_machine_is_described_with_a_processor_and_its_memory()
    {
        var machine = MachineDescription.Read(TimeProvider.System);

        Assert.NotEqual("", machine.Cpu);
        Assert.InRange(machine.Cores, 1, 10_000);
        Assert.True(machine.MemoryBytes > 1 << 20);
        Assert.StartsWith("0.", machine.Program, StringComparison.Ordinal);
    }
}
