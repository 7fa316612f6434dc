using Dledger.Replication.Bulk;

namespace Dledger.Replication.Peers;

/// <summary>
/// The largest body of each message type, checked before a byte of it is read or room for it is made.
/// </summary>
/// <param name="AppendRangeBytesMax">Largest range of frames in one append; the larger of frame cap and range
/// target.</param>
public sealed record PeerMessageLimits(int AppendRangeBytesMax)
{
    /// <summary>Hello and HelloReply: fixed fields and a reason of at most 1 KiB.</summary>
    public const int HelloBytesMax = 2 << 10;

    /// <summary>A genesis of up to 255 voters.</summary>
    public const int GenesisBytesMax = 8 << 10;

    /// <summary>Replies and votes: fixed fields and at most 64 epochs.</summary>
    public const int SmallBytesMax = 2 << 10;

    /// <summary>The limit for a type; 0 for a type that does not exist.</summary>
    public int BodyBytesMax(PeerMessageType type) => type switch
    {
        PeerMessageType.Hello or PeerMessageType.HelloReply => HelloBytesMax,
        PeerMessageType.GenesisOffer => GenesisBytesMax,
        PeerMessageType.Append => AppendBodyCodec.FixedLength + AppendRangeBytesMax,
        >= PeerMessageType.AppendReply and <= PeerMessageType.Resigning => SmallBytesMax,
        PeerMessageType.BulkRequest => BulkCodec.RequestBodyBytes,
        PeerMessageType.BulkReply => BulkLimits.ReplyBytesMax(AppendRangeBytesMax),
        _ => 0,
    };
}
