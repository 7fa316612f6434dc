namespace Dledger.Storage.Keys;

/// <summary>Sizes of a <see cref="KeyIndex"/>.</summary>
public sealed record KeyIndexOptions
{
    /// <summary>Entries that a file holds before the next one begins; a file may exceed it by the records of one frame.</summary>
    public int EntriesPerFile { get; init; } = 262_144;

    /// <summary>Full blocks that wait in memory while the disk has no room; above it the oldest is given up and read again later.</summary>
    public int WaitingBlocksMax { get; init; } = 4;
}
