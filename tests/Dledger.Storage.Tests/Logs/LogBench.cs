using Dledger.Primitives;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;
using Dledger.Storage.Records;
using Dledger.Testing.Clocks;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Logs;

/// <summary>A simulated disk, small options and a source of frames.</summary>
internal sealed class LogBench(int seed)
{
    public const string Directory = "log";

    public static readonly LogIdentity Identity = new(
        new Guid("00112233-4455-6677-8899-aabbccddeeff"),
        new Guid("0f0e0d0c-0b0a-0908-0706-050403020100"),
        RaftGroupId.First);

    public static readonly CommitLogOptions Small = new()
    {
        SegmentBytes = 16 << 10,
        FrameBytesMax = 4 << 10,
        UnsyncedBytesMax = 4 << 10,
        CheckpointBytes = 8 << 10,
        PrepareBytesPerSecond = 1 << 30,
        SpareCount = 1,
        ReserveBytes = 32 << 10,
    };

    public Random Random { get; } = new(seed);

    public SimulatedDisk Disk { get; } = new(seed);

    public ManualClock Clock { get; } = new();

    public CommitLogRecovery Open(CommitLogOptions? options = null, bool createIfEmpty = true)
    {
        Disk.CreateDirectory(Directory);
        return CommitLog.Open(Disk, Directory, options ?? Small, Identity, Clock, createIfEmpty);
    }

    public CommitLog OpenSound(CommitLogOptions? options = null)
    {
        var recovery = Open(options);
        Assert.Null(recovery.Damage);
        return recovery.Log!;
    }

    /// <summary>A frame that continues a tail; the first of a term gets the flag of one.</summary>
    public byte[] Frame(in ChainTail tail, Term term, int? bodyBytes = null, LogPosition commitHint = default)
    {
        var body = new byte[bodyBytes ?? Random.Next(0, 1200)];
        Random.NextBytes(body);
        var isFirst = term > tail.Term;
        var kind = isFirst ? RecordKind.TermStart : RecordKind.Message;
        var record = RecordEncoder.Encode(new RecordFields { Kind = kind, TopicId = 7 }, [], [], body);
        return FrameBuilder.Build(
            tail,
            term,
            tail.LogTime + 1,
            commitHint,
            isFirst ? FrameFlags.TermStart : FrameFlags.None,
            new NodeId(1),
            [record],
            Identity.Seed);
    }

    /// <summary>Some frames one behind the other.</summary>
    public List<ReadOnlyMemory<byte>> Frames(ChainTail tail, Term term, int count, int? bodyBytes = null)
    {
        var frames = new List<ReadOnlyMemory<byte>>();
        for (var i = 0; i < count; i++)
        {
            var frame = Frame(tail, term, bodyBytes);
            frames.Add(frame);
            tail = HeaderOf(frame).Tail;
        }

        return frames;
    }

    public static FrameHeader HeaderOf(ReadOnlySpan<byte> frame)
    {
        Assert.True(FrameHeader.TryParse(frame, Identity.Seed, Small.FrameBytesMax, out var header, out _));
        return header;
    }

    public static byte[] ReadAll(CommitLog log)
    {
        var bytes = new byte[log.WrittenEnd - log.Start];
        Assert.Equal(bytes.Length, log.Read(log.Start, bytes));
        return bytes;
    }
}
