namespace Dledger.Replication.Bulk;

/// <summary>Bounds of bulk reading.</summary>
internal static class BulkLimits
{
    /// <summary>What is asked for at once: large enough for the disk, small enough for memory.</summary>
    public const int PieceBytes = 1 << 20;

    /// <summary>Largest body of an answer; a frame comes whole even when it is larger than a piece.</summary>
    public static int ReplyBytesMax(int frameBytesMax) => BulkCodec.ReplyFixedBytes + Math.Max(PieceBytes, frameBytesMax);
}
