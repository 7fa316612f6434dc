using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Storage.Frames;

/// <summary>A verified frame read in place. Valid as long as the bytes under it.</summary>
public readonly ref struct FrameView
{
    internal FrameView(scoped in FrameHeader header, ReadOnlySpan<byte> bytes)
    {
        Header = header;
        Bytes = bytes;
    }

    public FrameHeader Header { get; }

    /// <summary>The whole frame.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>The records.</summary>
    public ReadOnlySpan<byte> Payload => Bytes[FrameHeader.Size..];

    public FrameSummary Summary => Header.Summary;

    /// <summary>What the next frame must continue.</summary>
    public ChainTail Tail => Header.Tail;

    /// <summary>The records in order, with their positions.</summary>
    public RecordEnumerator Records => new(Payload, Header.Base + FrameHeader.Size);
}
