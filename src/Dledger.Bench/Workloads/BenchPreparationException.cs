using Dledger.Bench.Measuring;

namespace Dledger.Bench.Workloads;

/// <summary>What a workload needs before it begins could not be made.</summary>
public sealed class BenchPreparationException(string phase, LoadResult result) : Exception(
    $"Nothing came of '{phase}': {result.Errors.Values.FirstOrDefault()?.First ?? "the system neither did anything nor failed"}");
