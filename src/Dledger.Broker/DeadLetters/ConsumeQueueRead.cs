using Dledger.Primitives;

namespace Dledger.Broker.DeadLetters;

/// <summary>Which record to read: what a ConsumeQueue entry says.</summary>
internal readonly record struct ConsumeQueueRead(LogPosition Position, int Size);
