using Dledger.Primitives;

namespace Dledger.Storage.Keys;

/// <summary>What an index knows of a key: where records lie that may have it, and where it does not know.</summary>
/// <param name="Positions">Newest first. The reader compares the record's key: two keys may share a hash.</param>
/// <param name="Gaps">Parts of the log that were asked about and are not covered, oldest first.</param>
public sealed record KeySearch(IReadOnlyList<LogPosition> Positions, IReadOnlyList<PositionRange> Gaps);

/// <summary>Positions of the log from <paramref name="Start"/> to before <paramref name="End"/>.</summary>
public readonly record struct PositionRange(LogPosition Start, LogPosition End);

/// <summary>Reads keys from the log's own records, for parts that no file covers. Any thread.</summary>
/// <param name="from">A frame boundary.</param>
/// <param name="limit">A frame boundary.</param>
/// <param name="add">Called with the hash of each key and the position of its record.</param>
/// <returns>
/// A frame boundary up to where all keys were added, at most the limit, and the header checksum of the frame that ends there. The
/// beginning: nothing can be read at present.
/// </returns>
public delegate (LogPosition Reached, uint HeaderCrc) KeyReader(LogPosition from, LogPosition limit, Action<ulong, long> add);
