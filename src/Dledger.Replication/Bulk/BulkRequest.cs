using Dledger.Primitives;

namespace Dledger.Replication.Bulk;

/// <summary>
/// What one node asks of another apart from the Raft messages, on a connection of its own: the asker pulls piece by piece, so it
/// sets the pace, resumes where it was, and nothing of it delays a heart-beat.
/// </summary>
public abstract record BulkRequest;

/// <summary>Committed frames from a position on.</summary>
/// <param name="From">A frame boundary.</param>
/// <param name="BytesMax">Most bytes of the answer; one frame comes whole even if it is larger.</param>
public sealed record ReadLogRange(LogPosition From, int BytesMax) : BulkRequest;

/// <summary>
/// Opens the newest snapshot of the answering node and pins it while it is read. The answer holds the checksum that names it (4 bytes) and the
/// length of its manifest (4 bytes).
/// </summary>
public sealed record OpenSnapshot : BulkRequest;

/// <summary>A piece of the manifest of an open snapshot.</summary>
/// <param name="Snapshot">The checksum that names it.</param>
/// <param name="Offset">Where the piece begins.</param>
/// <param name="BytesMax">Most bytes of the answer.</param>
public sealed record ReadSnapshotManifest(uint Snapshot, int Offset, int BytesMax) : BulkRequest;

/// <summary>A piece of one part of an open snapshot.</summary>
/// <param name="Snapshot">The checksum of its manifest.</param>
/// <param name="Part">Index of the part in the manifest.</param>
/// <param name="Offset">Where the piece begins.</param>
/// <param name="BytesMax">Most bytes of the answer.</param>
public sealed record ReadSnapshotPart(uint Snapshot, int Part, long Offset, int BytesMax) : BulkRequest;
