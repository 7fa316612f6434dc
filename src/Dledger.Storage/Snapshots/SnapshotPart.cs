using Dledger.Primitives;

namespace Dledger.Storage.Snapshots;

/// <summary>What a part of a snapshot is. Stored and sent: numbers never change.</summary>
public enum SnapshotPartKind : byte
{
    /// <summary>A part of the state checkpoint.</summary>
    State = 1,

    /// <summary>A file of a ConsumeQueue, or its beginning.</summary>
    Queue = 2,
}

/// <summary>One file of a snapshot.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Name of the part of the state; empty for a queue's file.</param>
/// <param name="TopicId">The queue's topic; 0 for state.</param>
/// <param name="QueueId">The queue; 0 for state.</param>
/// <param name="First">Queue offset of the file's first entry; 0 for state.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Crc">CRC-32C of the bytes.</param>
public readonly record struct SnapshotPart(
    SnapshotPartKind Kind, string Name, int TopicId, int QueueId, QueueOffset First, long Length, uint Crc);

/// <summary>Which entries of a queue a state includes: [Min, Max).</summary>
public readonly record struct SnapshotQueue(int TopicId, int QueueId, QueueOffset Min, QueueOffset Max);
