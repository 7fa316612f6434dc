using Dledger.Primitives;

namespace Dledger.Storage.Logs;

/// <summary>A configuration record of the log. What it means, Raft's driver knows.</summary>
/// <param name="Position">Where its frame begins.</param>
/// <param name="Record">The whole record: all of the frame behind its header.</param>
public readonly record struct LogConfiguration(LogPosition Position, ReadOnlyMemory<byte> Record);
