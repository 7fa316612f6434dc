namespace Dledger.Bench.Workloads;

/// <summary>How a workload runs; each workload uses some of it.</summary>
public sealed record WorkloadOptions
{
    /// <summary>Sends at the same time.</summary>
    public int InFlight { get; init; } = 64;

    /// <summary>Messages of one send.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Bytes of each body, at least 24.</summary>
    public int BodyBytes { get; init; } = 1024;

    /// <summary>Percent of each body that says the same again and again, and so compresses; the rest is noise.</summary>
    public int Repetition { get; init; }

    /// <summary>Topics.</summary>
    public int Topics { get; init; } = 1;

    /// <summary>Queues of each; 0: as the system does by itself.</summary>
    public int Queues { get; init; }

    /// <summary>Producers that the sends share; each has connections of its own where the target works so.</summary>
    public int Producers { get; init; } = 1;

    /// <summary>Consumers of each group.</summary>
    public int Consumers { get; init; } = 8;

    /// <summary>Messages of one receive at most.</summary>
    public int ReceiveCount { get; init; } = 32;

    /// <summary>Groups that each get all messages.</summary>
    public int Groups { get; init; } = 4;

    /// <summary>Messages a second; null: as many as go.</summary>
    public double? Rate { get; init; }

    /// <summary>Messages that are there before a workload that reads begins.</summary>
    public long Messages { get; init; } = 100_000;

    /// <summary>Bytes of bodies of the backlog.</summary>
    public long BacklogBytes { get; init; } = 1L << 30;

    /// <summary>How long the reading of the backlog may take.</summary>
    public TimeSpan ReadTimeMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often each message is given back.</summary>
    public int Returns { get; init; } = 3;

    /// <summary>How often two loads that are compared take turns.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>What is not counted, at the beginning of each measured phase that has one.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Of each measured phase.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);
}
