using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Replication.Tails;

/// <summary>A verified frame in memory. Immutable; the bytes are shared by writer, peers, apply and readers.</summary>
internal sealed class CachedFrame(in FrameHeader header, ReadOnlyMemory<byte> bytes)
{
    private readonly FrameHeader _header = header;

    public FrameHeader Header => _header;

    /// <summary>The whole frame.</summary>
    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    public LogPosition Base => _header.Base;

    public LogPosition End => _header.End;

    /// <summary>The records.</summary>
    public ReadOnlyMemory<byte> Payload => Bytes[FrameHeader.Size..];
}
