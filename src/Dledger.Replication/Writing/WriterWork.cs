using Dledger.Primitives;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Writing;

/// <summary>One thing that the log writer does, in the order given.</summary>
internal abstract record WriterWork;

/// <summary>Append whole frames and report when they are durable.</summary>
internal sealed record WriteFrames(
    uint Generation, LogPosition End, IReadOnlyList<ReadOnlyMemory<byte>> Frames) : WriterWork;

/// <summary>Cut the log.</summary>
internal sealed record CutLog(LogPosition Position) : WriterWork;

/// <summary>Make metadata durable and report its version.</summary>
internal sealed record WriteMetadata(long Version, NodeMetadata Metadata) : WriterWork;

/// <summary>Write a log checkpoint of a committed prefix if one is due.</summary>
internal sealed record CheckpointLog(LogPosition Committed) : WriterWork;

/// <summary>
/// Write committed frames of a peer over a damaged range of the sealed log; <paramref name="Done"/> gets the reason when they do not
/// fit, else what is left of the range. Called on the writer's thread.
/// </summary>
internal sealed record RepairLogRange(
    DamagedRange Range, ReadOnlyMemory<byte> Frames, Action<string?, DamagedRange?> Done) : WriterWork;

/// <summary>Write the rotten header page of a sealed segment once more.</summary>
internal sealed record RepairSegmentHeader(LogPosition SegmentBase) : WriterWork;

/// <summary>Give up the log before a segment's base.</summary>
internal sealed record AdvanceLogStart(LogPosition Start) : WriterWork;

/// <summary>Sync what is open, note the orderly stop in the metadata, and end; without metadata just end.</summary>
internal sealed record StopWriting(NodeMetadata? Metadata) : WriterWork;
