using Dledger.Primitives;

namespace Dledger.Broker.Transactions;

/// <summary>Where the record of one message of a transaction lies.</summary>
internal readonly record struct HalfPart(LogPosition Position, int Size);
