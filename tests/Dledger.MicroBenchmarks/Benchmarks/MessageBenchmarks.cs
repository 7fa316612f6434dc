using BenchmarkDotNet.Attributes;
using Dledger.Allocation.Tests.Operations;

namespace Dledger.MicroBenchmarks.Benchmarks;

[MemoryDiagnoser]
public class MessageBenchmarks
{
    private readonly MessageOperations _message = new();

    [Benchmark]
    public int Encode() => _message.Encode();

    [Benchmark]
    public int WriteProperties() => _message.WriteProperties();

    [Benchmark]
    public int EnumerateProperties() => _message.EnumerateProperties();

    [Benchmark]
    public bool MatchTag() => _message.MatchTag();

    [Benchmark]
    public bool MatchSql() => _message.MatchSql();

    [Benchmark]
    public void EncodeReceipt() => _message.EncodeReceipt();

    [Benchmark]
    public bool DecodeReceipt() => _message.DecodeReceipt();

    [Benchmark]
    public int WriteDelivery() => _message.WriteDelivery();

    [Benchmark]
    public int EncodeDelivery() => _message.EncodeDelivery();
}
