using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Tests.Logs;

public sealed class LogReaderTests
{
    [Fact]
    public void Readers_beside_a_writer_that_rolls_see_only_whole_valid_frames_below_the_end()
    {
        var bench = new LogBench(1);
        var log = bench.OpenSound();
        using var stop = new CancellationTokenSource();
        var readFrames = 0L;
        Exception? fault = null;
        var readers = Enumerable.Range(0, 2).Select(_ => new Thread(Read)).ToArray();
        foreach (var reader in readers)
        {
            reader.Start();
        }

        for (var i = 0; i < 300; i++)
        {
            log.Append(bench.Frames(log.Tail, new Term(1), 5));
            log.Sync();
        }

        var deadline = TimeProvider.System.GetTimestamp();
        while (Interlocked.Read(ref readFrames) < 3000
            && fault is null
            && TimeProvider.System.GetElapsedTime(deadline) < TimeSpan.FromSeconds(30))
        {
            Thread.Yield();
        }

        stop.Cancel();
        foreach (var reader in readers)
        {
            reader.Join();
        }

        Assert.Null(fault);
        Assert.True(readFrames >= 3000, $"{readFrames} frames");

        void Read()
        {
            try
            {
                var buffer = new byte[LogBench.Small.FrameBytesMax];
                while (!stop.IsCancellationRequested)
                {
                    var tail = ChainTail.Genesis(LogBench.Identity.Seed);
                    var end = log.WrittenEnd;
                    while (tail.End < end && !stop.IsCancellationRequested)
                    {
                        var length = log.Read(tail.End, buffer);
                        Assert.True(
                            FrameReader.TryRead(
                                buffer.AsSpan(0, length),
                                tail,
                                LogBench.Identity.Seed,
                                buffer.Length,
                                out var frame,
                                out var reason),
                            reason);
                        tail = frame.Tail;
                        Interlocked.Increment(ref readFrames);
                    }

                    Assert.True(tail.End >= end || stop.IsCancellationRequested);
                }
            }
            catch (Exception failed)
            {
                fault = failed;
            }
        }
    }

    [Fact]
    public void Readers_beside_a_truncation_get_wrong_bytes_at_worst_never_an_exception()
    {
        var bench = new LogBench(2);
        var log = bench.OpenSound();
        using var stop = new CancellationTokenSource();
        Exception? fault = null;
        var reader = new Thread(() =>
        {
            try
            {
                var buffer = new byte[8192];
                var random = new Random(3);
                while (!stop.IsCancellationRequested)
                {
                    var position = new LogPosition(random.NextInt64(log.WrittenEnd.Value + 1));
                    log.Read(position, buffer);
                    log.TryReadFrameSummary(position, out _);
                    log.TryReadChain(log.WrittenEnd, out _);
                }
            }
            catch (Exception failed)
            {
                fault = failed;
            }
        });
        reader.Start();

        var term = new Term(1);
        for (var round = 0; round < 100; round++)
        {
            log.Append(bench.Frames(log.Tail, term, 40));
            log.Sync();
            log.TruncateTo(LogPosition.Zero);
            term = term.Next();
        }

        stop.Cancel();
        reader.Join();
        Assert.Null(fault);
    }
}
