namespace Dledger.Bench.Clusters;

/// <summary>A topic or group of this name exists and was not made by the run.</summary>
public sealed class BenchNameTakenException(string name)
    : Exception($"'{name}' exists already, and a benchmark does not touch what it did not make.")
{
    public string Name { get; } = name;
}
