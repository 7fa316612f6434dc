using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Storage.Frames;

/// <summary>
/// Cuts frames: copies encoded records behind a header and seals them with their place and the frame's log time. Stateless.
/// </summary>
public static class FrameBuilder
{
    /// <summary>
    /// Builds the frame that continues <paramref name="tail"/>.
    /// </summary>
    /// <param name="tail">End of the log; gives the base and the chain.</param>
    /// <param name="term">The leader's term.</param>
    /// <param name="logTime">Microseconds since the Unix epoch; raised to the tail's when lower.</param>
    /// <param name="commitHint">The leader's commit position.</param>
    /// <param name="flags">Frame flags.</param>
    /// <param name="leader">The leader.</param>
    /// <param name="records">Encoded records; a buffer may hold several. At least one record in all.</param>
    /// <param name="seed">Seed of the cluster and group.</param>
    public static byte[] Build(
        in ChainTail tail,
        Term term,
        long logTime,
        LogPosition commitHint,
        FrameFlags flags,
        NodeId leader,
        IReadOnlyList<ReadOnlyMemory<byte>> records,
        ClusterSeed seed)
    {
        Invariant.Check(term >= tail.Term, $"term {term} after {tail.Term}");
        Invariant.Check(commitHint <= tail.End, $"commit hint {commitHint} at {tail.End}");
        Invariant.Check((uint)leader.Value <= NodeId.ValueMax, $"leader {leader}");

        long length = FrameHeader.Size;
        for (var i = 0; i < records.Count; i++)
        {
            length += records[i].Length;
        }

        var frame = GC.AllocateUninitializedArray<byte>(checked((int)length));
        var stampedTime = Math.Max(logTime, tail.LogTime);
        var at = FrameHeader.Size;
        for (var i = 0; i < records.Count; i++)
        {
            records[i].Span.CopyTo(frame.AsSpan(at));
            at += records[i].Length;
        }

        var count = SealRecords(frame.AsSpan(FrameHeader.Size), tail.End + FrameHeader.Size, stampedTime);
        Invariant.Check(count > 0, "a frame holds a record");
        var header = new FrameHeader
        {
            Base = tail.End,
            FrameLength = frame.Length,
            PayloadCrc = Crc32C.Compute(frame.AsSpan(FrameHeader.Size)),
            Term = term,
            PreviousHeaderCrc = tail.HeaderCrc,
            PreviousFrameLength = tail.FrameLength,
            LogTime = stampedTime,
            CommitHint = commitHint,
            RecordCount = count,
            Flags = flags,
            Leader = (byte)leader.Value,
        };
        header.Write(frame, seed);
        return frame;
    }

    // Record lengths are multiples of 8, so the payload needs no padding of its own.
    private static int SealRecords(Span<byte> payload, LogPosition position, long logTime)
    {
        var count = 0;
        while (!payload.IsEmpty)
        {
            var recordLength = payload.Length < RecordHeader.Size ? 0 : BinaryPrimitives.ReadInt32LittleEndian(payload);
            Invariant.Check(
                recordLength >= RecordHeader.Size && recordLength % 8 == 0 && recordLength <= payload.Length,
                $"record {count} of a new frame has length {recordLength}, {payload.Length} bytes are left");
            RecordView.Seal(payload, position, logTime);
            payload = payload[recordLength..];
            position += recordLength;
            count++;
        }

        return count;
    }
}
