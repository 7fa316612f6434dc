namespace Dledger.Server.Options;

/// <summary>The replicated log on disk.</summary>
public sealed record StorageOptions
{
    /// <summary><c>storage.flushMode</c>: QUORUM_SYNC or QUORUM_ASYNC.</summary>
    public FlushPolicy FlushMode { get; init; } = FlushPolicy.QuorumSync;

    /// <summary><c>storage.segmentSize</c>: bytes of one log file, 8 MiB..4 GiB, a multiple of 4 KiB. Smaller files
    /// give space back in smaller steps and cost more of them.</summary>
    public long SegmentBytes { get; init; } = 1L << 30;

    /// <summary><c>storage.retentionTime</c>: how long messages are kept at least, consumed or not; zero for ever, at most
    /// 10 years. They go in whole log files, so somewhat later.</summary>
    public TimeSpan RetentionTime { get; init; } = TimeSpan.FromHours(72);

    /// <summary><c>storage.retentionSize</c>: bytes of log that are kept; older messages go whatever their age. 0: no
    /// bound.</summary>
    public long RetentionBytes { get; init; }

    /// <summary><c>storage.retentionDiskUse</c>: used percent of the leader's disk, 1..95, above which the oldest messages go although
    /// they are younger than the retention time. 0: messages are not given up for the disk's sake.</summary>
    public int RetentionDiskPercent { get; init; }

    /// <summary><c>storage.catchUpRate</c>: bytes per second at which nodes that lack much are brought up to date, 1 MiB..1 TiB; twice
    /// what producers write comes on top. More brings redundancy back sooner, and disturbs producers more.</summary>
    public long CatchUpBytesPerSecond { get; init; } = 64L << 20;
}
