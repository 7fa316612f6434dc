using BenchmarkDotNet.Attributes;
using Dledger.Allocation.Tests.Operations;

namespace Dledger.MicroBenchmarks.Benchmarks;

[MemoryDiagnoser]
public class GrpcBenchmarks
{
    private readonly GrpcOperations _grpc = new();

    [Benchmark]
    public bool Read() => _grpc.Read();

    [Benchmark]
    public int Write() => _grpc.Write();
}
