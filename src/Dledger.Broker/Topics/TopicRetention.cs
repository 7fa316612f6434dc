namespace Dledger.Broker.Topics;

/// <summary>How long and how much a topic keeps by its own wish, whatever the cluster keeps. The default has no wish.</summary>
/// <param name="Microseconds">
/// Age at which its messages go, consumed or not; shorter or longer than the cluster's. 0: the cluster's.
/// </param>
/// <param name="Bytes">Sum of its records, over all queues, above which its oldest messages go. 0: no bound.</param>
public readonly record struct TopicRetention(long Microseconds, long Bytes)
{
    /// <summary>Whether the topic wishes anything.</summary>
    public bool IsSet => Microseconds > 0 || Bytes > 0;

    /// <summary><see cref="Microseconds"/>; null when it is the cluster's.</summary>
    public TimeSpan? Time => Microseconds > 0 ? TimeSpan.FromMicroseconds(Microseconds) : null;

    /// <summary>Whether messages of the topic stay after the cluster's retention time.</summary>
    public bool OutlastsCluster(TimeSpan clusterTime) =>
        clusterTime > TimeSpan.Zero && Microseconds > (long)clusterTime.TotalMicroseconds;
}
