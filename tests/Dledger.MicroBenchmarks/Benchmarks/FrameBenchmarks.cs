using BenchmarkDotNet.Attributes;
using Dledger.Allocation.Tests.Operations;

namespace Dledger.MicroBenchmarks.Benchmarks;

[MemoryDiagnoser]
public class FrameBenchmarks
{
    private FrameOperations _frames = new(1);

    [Params(1, 64)]
    public int RecordCount { get; set; }

    [GlobalSetup]
    public void MakeFrames() => _frames = new FrameOperations(RecordCount);

    [Benchmark]
    public byte[] Build() => _frames.Build();

    [Benchmark]
    public int Verify() => _frames.Verify();

    [Benchmark]
    public long Scan() => _frames.Scan();

    [Benchmark]
    public bool FindInCache() => _frames.FindInCache();

    [Benchmark]
    public int ReadFromCache() => _frames.ReadFromCache();
}
