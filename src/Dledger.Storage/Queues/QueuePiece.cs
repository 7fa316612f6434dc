namespace Dledger.Storage.Queues;

/// <summary>Consecutive entries of one queue on their way into one file.</summary>
/// <param name="Key">The file.</param>
/// <param name="Offset">Where in it they go.</param>
/// <param name="Entries">20 bytes each.</param>
internal readonly record struct QueuePiece(QueueFileKey Key, long Offset, ReadOnlyMemory<byte> Entries);
