namespace Dledger.Cli.Commands.Bench;

/// <summary>How a benchmark talks to the cluster.</summary>
internal enum BenchApi
{
    /// <summary>By the calls of the RocketMQ 5 protocol.</summary>
    V2 = 0,

    /// <summary>By Dledger's streams.</summary>
    Stream = 1,
}
