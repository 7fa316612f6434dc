namespace Dledger.Broker.Timers;

/// <summary>Some of the pending messages that were asked for, in the order of their delivery.</summary>
/// <param name="Messages">What was found.</param>
/// <param name="NextPage">Where to go on; null: that was all. With it there may be nothing in this page, and something in a later one.</param>
/// <param name="PendingCount">How many messages of the topic wait in all.</param>
/// <param name="ChangedCount">How many of those found were taken back or moved; 0 when nothing was to be changed.</param>
/// <param name="Failure">Null on success.</param>
public sealed record PendingPage(
    IReadOnlyList<PendingMessage> Messages,
    string? NextPage,
    long PendingCount,
    int ChangedCount = 0,
    BrokerFailure? Failure = null)
{
    public static PendingPage Of(BrokerFailure failure) => new([], null, 0, 0, failure);
}
