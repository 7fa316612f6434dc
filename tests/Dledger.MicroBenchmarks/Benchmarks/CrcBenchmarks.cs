using BenchmarkDotNet.Attributes;
using Dledger.Primitives;

namespace Dledger.MicroBenchmarks.Benchmarks;

/// <summary>The checksum as it is used, against the plain loop of one lane.</summary>
[MemoryDiagnoser]
public class CrcBenchmarks
{
    private byte[] _bytes = [];

    [Params(64, 240, 512, 1_024, 65_536, 1_048_576)]
    public int Length { get; set; }

    [GlobalSetup]
    public void MakeBytes()
    {
        _bytes = new byte[Length];
        new Random(1).NextBytes(_bytes);
    }

    [Benchmark]
    public uint Compute() => Crc32C.Compute(_bytes);

    [Benchmark(Baseline = true)]
    public uint OneLane() => ~Crc32C.Run(uint.MaxValue, _bytes);
}
