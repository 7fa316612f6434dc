using BenchmarkDotNet.Attributes;
using Dledger.Allocation.Tests.Operations;

namespace Dledger.MicroBenchmarks.Benchmarks;

[MemoryDiagnoser]
public class QueueBenchmarks
{
    private const int AppendCount = 10_000;

    private readonly QueueOperations _queue = new();

    [Benchmark(OperationsPerInvoke = AppendCount)]
    public void Append()
    {
        // A new queue for each round: its tail grows on the way.
        _queue.Renew();
        for (var i = 0; i < AppendCount; i++)
        {
            _queue.Append();
        }
    }

    [Benchmark]
    public int Read32() => _queue.Read();
}
