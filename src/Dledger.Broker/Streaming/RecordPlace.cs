using Dledger.Primitives;

namespace Dledger.Broker.Streaming;

/// <summary>Which message a record of a <see cref="RecordSlice"/> is.</summary>
/// <param name="QueueId">Its queue.</param>
/// <param name="Offset">Its place in it.</param>
/// <param name="Position">Where its record lies, which its checksum is bound to.</param>
/// <param name="Attempt">Number of the delivery, from 1 on.</param>
public readonly record struct RecordPlace(int QueueId, QueueOffset Offset, LogPosition Position, int Attempt);
