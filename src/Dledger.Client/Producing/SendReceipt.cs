namespace Dledger.Client.Producing;

/// <summary>The promise of the cluster: the message is stored by a majority.</summary>
/// <param name="MessageId">Names the message.</param>
/// <param name="Offset">
/// Its place in its queue, counted from 0 without a gap; 0 while it waits for its delivery time; -1 when a repeat was stored before and
/// its place is forgotten.
/// </param>
public sealed record SendReceipt(string MessageId, long Offset)
{
    /// <summary>Takes a message back that waits for its delivery time (<see cref="Producer.RecallAsync"/>); null for the others.</summary>
    public string? RecallHandle { get; init; }
}
