using Dledger.Primitives;
using Dledger.Replication.Tails;
using Dledger.Storage.Frames;
using Dledger.Storage.Records;
using Xunit.Abstractions;

namespace Dledger.Replication.Tests.Tails;

public sealed class TailCacheTests(ITestOutputHelper output)
{
    private static readonly ClusterSeed Seed = ClusterSeed.Of(Guid.AllBitsSet, RaftGroupId.First);

    [Fact]
    public void A_frame_that_is_not_on_disk_is_never_evicted()
    {
        var cache = new TailCache(LogPosition.Zero, bytesMax: 1000);
        var tail = ChainTail.Genesis(Seed);
        for (var i = 0; i < 20; i++)
        {
            Append(cache, ref tail, 200, onDisk: LogPosition.Zero);
        }

        Assert.Equal(LogPosition.Zero, cache.Start);
        Append(cache, ref tail, 200, onDisk: tail.End);
        Assert.True(cache.End - cache.Start <= 1000);
    }

    [Fact]
    public void Behaves_like_a_plain_list_of_frames()
    {
        var seed = TimeProvider.System.GetUtcNow().Millisecond;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var cache = new TailCache(LogPosition.Zero, bytesMax: 100_000);
        var frames = new List<CachedFrame>();
        var tail = ChainTail.Genesis(Seed);
        for (var step = 0; step < 5000; step++)
        {
            if (random.Next(50) == 0 && frames.Count > 3)
            {
                var kept = random.Next(frames.Count - 3, frames.Count);
                var position = frames[kept].Base;
                tail = kept == 0 ? ChainTail.Genesis(Seed) : frames[kept - 1].Header.Tail;
                if (position >= cache.Start)
                {
                    frames.RemoveRange(kept, frames.Count - kept);
                    cache.TruncateTo(position);
                }
                else
                {
                    tail = frames[^1].Header.Tail;
                }
            }
            else
            {
                frames.Add(Append(cache, ref tail, random.Next(8, 400), onDisk: tail.End));
            }

            Check(cache, frames, random);
        }
    }

    private static void Check(TailCache cache, List<CachedFrame> frames, Random random)
    {
        Assert.Equal(frames.Count == 0 ? LogPosition.Zero : frames[^1].End, cache.End);
        if (frames.Count == 0)
        {
            return;
        }

        var index = random.Next(frames.Count);
        var frame = frames[index];
        var isCached = frame.Base >= cache.Start;
        Assert.Equal(isCached, cache.TryGet(frame.Base, out var found));
        Assert.Same(isCached ? frame : null, found);
        Assert.Equal(isCached, cache.TryGetEndingAt(frame.End, out found));
        Assert.Same(isCached ? frame : null, found);
        Assert.False(cache.TryGet(frame.Base + 8, out _));
        if (!isCached)
        {
            Assert.Equal(0, cache.Read(frame.Base, new byte[8]));
            return;
        }

        var last = Math.Min(frames.Count - 1, index + random.Next(5));
        var collected = new List<CachedFrame>();
        Assert.True(cache.TryCollect(frame.Base, frames[last].End, collected));
        Assert.Equal(frames.GetRange(index, last - index + 1), collected);
        Assert.False(cache.TryCollect(frame.Base, frames[last].End + -8, []));

        var bytes = new byte[frames[last].End - frame.Base];
        Assert.Equal(bytes.Length, cache.Read(frame.Base, bytes));
        Assert.Equal(collected.SelectMany(item => item.Bytes.ToArray()), bytes);

        var bytesMax = random.Next(64, 3000);
        Assert.True(cache.TryFindRangeEnd(frame.Base, bytesMax, out var end));
        var expected = frames.Skip(index).TakeWhile(item => item.End - frame.Base <= bytesMax).LastOrDefault() ?? frame;
        Assert.Equal(expected.End, end);
    }

    private static CachedFrame Append(TailCache cache, ref ChainTail tail, int bodyBytes, LogPosition onDisk)
    {
        var record = RecordEncoder.Encode(
            new RecordFields { Kind = RecordKind.Message }, [], [], new byte[bodyBytes]);
        var bytes = FrameBuilder.Build(
            tail, new Term(1), 1, LogPosition.Zero, FrameFlags.None, new NodeId(1), [record], Seed);
        Assert.True(FrameHeader.TryParse(bytes, Seed, 1 << 20, out var header, out var fault), fault);
        var frame = new CachedFrame(header, bytes);
        cache.Append(frame);
        cache.Evict(onDisk);
        tail = header.Tail;
        return frame;
    }
}
