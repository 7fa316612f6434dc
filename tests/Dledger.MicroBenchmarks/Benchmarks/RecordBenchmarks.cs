using BenchmarkDotNet.Attributes;
using Dledger.Allocation.Tests.Operations;

namespace Dledger.MicroBenchmarks.Benchmarks;

[MemoryDiagnoser]
public class RecordBenchmarks
{
    private readonly RecordOperations _record = new();

    [Benchmark]
    public int Encode() => _record.Encode();

    [Benchmark]
    public int Parse() => _record.Parse();

    [Benchmark]
    public int ParseSealed() => _record.ParseSealed();

    [Benchmark]
    public int ParseUnchecked() => _record.ParseUnchecked();

    [Benchmark]
    public void Seal() => _record.Seal();
}
