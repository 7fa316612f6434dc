using Dledger.Primitives;

namespace Dledger.Replication;

/// <summary>One file of the log.</summary>
/// <param name="Base">Where it begins.</param>
/// <param name="LogTime">Log time of the last frame before it, microseconds: everything before it is at least that old.</param>
public readonly record struct LogSegment(LogPosition Base, long LogTime);
