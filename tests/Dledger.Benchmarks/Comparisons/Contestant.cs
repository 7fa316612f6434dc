using Dledger.Bench.Targets;
using Dledger.Benchmarks.Servers;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>A system that takes part: how it is started, and what its acknowledgements mean.</summary>
internal sealed record Contestant
{
    /// <summary>For the command line and for files.</summary>
    public required string Key { get; init; }

    /// <summary>For tables.</summary>
    public required string Title { get; init; }

    /// <summary>Its version; a question mark when nobody knows.</summary>
    public required string Version { get; init; }

    /// <summary>One of those that Dledger is compared with.</summary>
    public required bool IsPeer { get; init; }

    /// <summary>Only those with the same durability are compared.</summary>
    public required AckPromise Ack { get; init; }

    /// <summary>What is true when a send is acknowledged.</summary>
    public required string SendMeaning { get; init; }

    /// <summary>What is true when the acknowledgement of a receive has ended.</summary>
    public required string ReceiveMeaning { get; init; }

    /// <summary>Starts its nodes; they take messages soon after.</summary>
    public required Func<CancellationToken, Task<IServerCluster>> StartAsync { get; init; }

    /// <summary>Opens what the workloads speak to, once the nodes run.</summary>
    public required Func<IServerCluster, CancellationToken, Task<IBenchTarget>> OpenAsync { get; init; }
}
