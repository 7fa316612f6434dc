using Dledger.Broker.Filtering;
using Dledger.Primitives;

namespace Dledger.Broker.Receiving;

/// <summary>What a receive operation got from the apply loop.</summary>
/// <param name="Failure">Null unless refused.</param>
/// <param name="DeliveryId">The lease; 0 without messages.</param>
/// <param name="InvisibleMicroseconds">How long the messages stay invisible from the grant on.</param>
/// <param name="Messages">Empty when nothing came in time.</param>
internal sealed record ReceiveGrant(
    BrokerFailure? Failure, long DeliveryId, long InvisibleMicroseconds, IReadOnlyList<GrantedMessage> Messages)
{
    /// <summary>Set instead of messages: records that the caller has to look at first.</summary>
    public ScanGrant? Scan { get; init; }

    /// <summary>Messages that count as unreadable, whether they are or not: when it was decided what to hand out they were. Null: none.</summary>
    public IReadOnlySet<(int QueueId, long Offset)>? Unreadable { get; init; }

    public static readonly ReceiveGrant Empty = new(null, 0, 0, []);

    public static ReceiveGrant Of(BrokerFailure failure) => new(failure, 0, 0, []);
}

/// <summary>One leased message: where its record lies, not yet its bytes.</summary>
internal readonly record struct GrantedMessage(
    int QueueId, long Offset, LogPosition Position, int Size, long TagHash, int Attempt, int GroupHash);
