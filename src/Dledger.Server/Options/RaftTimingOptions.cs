namespace Dledger.Server.Options;

/// <summary>Times of the replication group. Raise them on networks with round trips above 20 ms.</summary>
public sealed record RaftTimingOptions
{
    /// <summary><c>raft.electionTimeoutMin</c>: silence of the leader before an election, at least; 50 ms..60
    /// s.</summary>
    public TimeSpan ElectionTimeoutMin { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary><c>raft.electionTimeoutMax</c>: the same at most; 100 ms..120 s, above the minimum.</summary>
    public TimeSpan ElectionTimeoutMax { get; init; } = TimeSpan.FromMilliseconds(1000);

    /// <summary><c>raft.heartbeat</c>: how often an idle leader shows itself; 5 ms..10 s, at most a sixth of
    /// the minimum election timeout.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromMilliseconds(75);
}
