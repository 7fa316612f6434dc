namespace Dledger.Bench.Targets;

/// <summary>What a workload needs to be there before it begins.</summary>
/// <param name="TopicCount">Topics, numbered from 0.</param>
/// <param name="GroupCount">Consumer groups, numbered from 0, each for all topics; they begin at the first message.</param>
public sealed record BenchLayout(int TopicCount, int GroupCount)
{
    /// <summary>Queues, partitions or streams of each topic; 0: as the system does by itself.</summary>
    public int QueueCount { get; init; }
}
