using Dledger.Primitives;
using Dledger.Storage.Frames;
using Dledger.Storage.Records;
using FsCheck;
using FsCheck.Fluent;

namespace Dledger.Storage.Tests.Frames;

public sealed class FrameCodecTests
{
    private const int FrameBytesMax = 1 << 20;
    private static readonly Guid ClusterId = new("00112233-4455-6677-8899-aabbccddeeff");
    private static readonly ClusterSeed Seed = ClusterSeed.Of(ClusterId, RaftGroupId.First);

    [Fact]
    public void A_chain_of_frames_with_any_bodies_is_read_back_in_order()
    {
        Prop.ForAll<byte[][][]>(bodiesByFrame =>
        {
            var tail = ChainTail.Genesis(Seed);
            var frames = new List<byte[]>();
            var time = 0L;
            foreach (var bodies in bodiesByFrame.Where(bodies => bodies.Length > 0))
            {
                var records = bodies.Select(body => (ReadOnlyMemory<byte>)Record(body)).ToArray();
                time += 5;
                var frame = FrameBuilder.Build(
                    tail, new Term(1), time, LogPosition.Zero, FrameFlags.None, new NodeId(2), records, Seed);
                Assert.True(FrameReader.TryRead(frame, tail, Seed, FrameBytesMax, out var view, out var fault), fault);
                Assert.Equal(bodies.Length, view.Header.RecordCount);
                var i = 0;
                foreach (var record in view.Records)
                {
                    Assert.Equal(bodies[i++], record.Body.ToArray());
                    Assert.Equal(time, record.StoreTime);
                }

                Assert.Equal(bodies.Length, i);
                Assert.Equal(tail.End + frame.Length, view.Tail.End);
                tail = view.Tail;
                frames.Add(frame);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_flipped_bit_anywhere_in_a_frame_is_noticed()
    {
        var tail = ChainTail.Genesis(Seed);
        var frame = Build(tail, "some body"u8.ToArray());
        for (var i = 0; i < frame.Length; i++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var copy = (byte[])frame.Clone();
                copy[i] ^= (byte)(1 << bit);

                Assert.False(FrameReader.TryRead(copy, tail, Seed, FrameBytesMax, out _, out var fault));
                Assert.NotNull(fault);
            }
        }
    }

    [Fact]
    public void A_frame_of_another_cluster_group_position_or_chain_is_refused()
    {
        var tail = ChainTail.Genesis(Seed);
        var frame = Build(tail, [1]);
        var otherGroup = ClusterSeed.Of(ClusterId, new RaftGroupId(1));

        Assert.False(FrameReader.TryRead(frame, tail, otherGroup, FrameBytesMax, out _, out _));
        AssertRefused(tail with { End = new LogPosition(8) }, "frame base");
        AssertRefused(tail with { HeaderCrc = 1 }, "continues");
        AssertRefused(tail with { FrameLength = 72 }, "continues");
        AssertRefused(tail with { Term = new Term(2) }, "term");
        AssertRefused(tail with { LogTime = 101 }, "log time");

        void AssertRefused(ChainTail expected, string reason)
        {
            Assert.False(FrameReader.TryRead(frame, expected, Seed, FrameBytesMax, out _, out var fault));
            Assert.Contains(reason, fault);
        }
    }

    [Fact]
    public void A_frame_that_is_cut_short_or_above_the_limit_is_refused()
    {
        var tail = ChainTail.Genesis(Seed);
        var frame = Build(tail, new byte[5000]);

        for (var length = 0; length < frame.Length; length += 100)
        {
            Assert.False(FrameReader.TryRead(frame.AsSpan(0, length), tail, Seed, FrameBytesMax, out _, out _));
        }

        Assert.False(FrameReader.TryRead(frame, tail, Seed, 4096, out _, out var fault));
        Assert.Contains("frame length", fault);
    }

    [Fact]
    public void Log_time_never_runs_backwards_even_if_the_clock_does()
    {
        var first = Build(ChainTail.Genesis(Seed), [1]);
        Assert.True(FrameReader.TryRead(first, ChainTail.Genesis(Seed), Seed, FrameBytesMax, out var view, out _));

        var second = FrameBuilder.Build(
            view.Tail, new Term(1), 7, LogPosition.Zero, FrameFlags.None, new NodeId(1), [Record([2])], Seed);

        Assert.True(FrameReader.TryRead(second, view.Tail, Seed, FrameBytesMax, out var next, out _));
        Assert.Equal(100, next.Header.LogTime);
    }

    [Fact]
    public void A_buffer_with_several_records_counts_each_of_them()
    {
        var two = Record([1]).Concat(Record([2, 3])).ToArray();

        var frame = FrameBuilder.Build(
            ChainTail.Genesis(Seed),
            new Term(1),
            100,
            LogPosition.Zero,
            FrameFlags.None,
            new NodeId(1),
            [two, Record([4])],
            Seed);

        Assert.True(FrameReader.TryReadAlone(frame, LogPosition.Zero, Seed, FrameBytesMax, out var view, out _));
        Assert.Equal(3, view.Header.RecordCount);
        Assert.False(FrameReader.TryReadAlone(frame, new LogPosition(8), Seed, FrameBytesMax, out _, out _));
    }

    [Fact]
    public void A_malformed_record_never_gets_into_a_frame()
    {
        var record = Record([1]);
        record[0] = 1;

        Assert.Throws<InvariantViolationException>(() => FrameBuilder.Build(
            ChainTail.Genesis(Seed), new Term(1), 1, LogPosition.Zero, FrameFlags.None, new NodeId(1), [record], Seed));
    }

    [Fact]
    public void Record_positions_lead_back_to_the_records()
    {
        var frame = FrameBuilder.Build(
            ChainTail.Genesis(Seed),
            new Term(1),
            1,
            LogPosition.Zero,
            FrameFlags.None,
            new NodeId(1),
            [Record([1]), Record(new byte[100]), Record([3])],
            Seed);
        Assert.True(FrameReader.TryReadAlone(frame, LogPosition.Zero, Seed, FrameBytesMax, out var view, out _));
        var cursor = view.Records;
        while (cursor.MoveNext())
        {
            var at = (int)cursor.CurrentPosition.Value;
            Assert.True(RecordView.TryParseSealed(frame.AsSpan(at), cursor.CurrentPosition, out var record, out _));
            Assert.Equal(cursor.Current.Body.ToArray(), record.Body.ToArray());
        }
    }

    private static byte[] Build(in ChainTail tail, byte[] body) => FrameBuilder.Build(
        tail, new Term(1), 100, LogPosition.Zero, FrameFlags.None, new NodeId(1), [Record(body)], Seed);

    private static byte[] Record(byte[] body) =>
        RecordEncoder.Encode(new RecordFields { Kind = RecordKind.Message }, [], [], body);
}
