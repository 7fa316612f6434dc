using Dledger.Broker.Receipts;
using Dledger.Primitives;

namespace Dledger.Broker.Messages;

/// <summary>What a delivery adds to the stored record.</summary>
/// <param name="Topic">The topic that was read.</param>
/// <param name="QueueId">Its queue there.</param>
/// <param name="QueueOffset">Its place in the queue.</param>
/// <param name="Position">Where its record lies.</param>
/// <param name="Attempt">Number of the delivery; 0 for a look without one.</param>
/// <param name="Receipt">What finishes it; null where nothing does.</param>
/// <param name="InvisibleDuration">How long it is invisible from the delivery on.</param>
internal readonly record struct DeliveryContext(
    string Topic,
    int QueueId,
    QueueOffset QueueOffset,
    LogPosition Position,
    int Attempt,
    Receipt? Receipt,
    TimeSpan InvisibleDuration);
