using Dledger.Raft.Messages;

namespace Dledger.Replication.Peers;

/// <summary>The body of an Append: a fixed part and then the bytes of the range.</summary>
/// <remarks>
///   0          8              16             20           24       32       40        48         52         56
///   | previous | previousTerm | previousChain| rangeBytes | commit | sentAt | readSeq | flags    | checksum | frames
/// The checksum covers bytes 0 to 51 of the body; the frames carry their own. readSeq is reserved for read rounds and
/// 0. Flag 1: IsAtLogStart; others are ignored. rangeBytes 0 makes a heart-beat or commit notice.
/// </remarks>
internal static class AppendBodyCodec
{
    private const int AtLogStartFlag = 1;

    /// <summary>Bytes before the frames.</summary>
    public const int FixedLength = 56;

    /// <summary>Writes the fixed part; the sender puts the bytes of the range behind it.</summary>
    public static void WriteFixedPart(AppendRequest request, Span<byte> destination)
    {
        var writer = new BodyWriter(destination);
        writer.WriteInt64(request.Previous.Value);
        writer.WriteInt64(request.PreviousTerm.Value);
        writer.WriteUInt32(request.PreviousChain);
        writer.WriteInt32((int)(request.RangeEnd - request.Previous));
        writer.WriteInt64(request.Commit.Value);
        writer.WriteInt64(request.SentAt);
        writer.WriteInt64(0);
        writer.WriteInt32(request.IsAtLogStart ? AtLogStartFlag : 0);
        writer.WriteChecksum();
    }

    /// <summary>Reads a body; null when it is not one. The frames are not looked at here.</summary>
    public static AppendRequest? TryRead(in PeerMessageHeader header, ReadOnlyMemory<byte> body)
    {
        if (body.Length < FixedLength || !BodyReader.TryOpen(body.Span[..FixedLength], out var reader))
        {
            return null;
        }

        var previous = reader.ReadPosition();
        var previousTerm = reader.ReadTerm();
        var previousChain = reader.ReadUInt32();
        var rangeBytes = reader.ReadInt32();
        var commit = reader.ReadPosition();
        var sentAt = reader.ReadInt64();
        reader.ReadInt64();
        var flags = reader.ReadInt32();
        var isUsable = reader.IsWhole
            && rangeBytes == body.Length - FixedLength
            && previous.Value <= long.MaxValue - rangeBytes
            && header.Stream >= 0;
        return !isUsable ? null : new AppendRequest
        {
            From = header.Sender,
            Session = header.Session,
            Term = header.Term,
            Stream = header.Stream,
            Previous = previous,
            PreviousTerm = previousTerm,
            PreviousChain = previousChain,
            RangeEnd = previous + rangeBytes,
            Commit = commit,
            SentAt = sentAt,
            IsAtLogStart = (flags & AtLogStartFlag) != 0,
            Bytes = body[FixedLength..],
        };
    }
}
