using Dledger.Chaos.Networks;

namespace Dledger.Chaos.Tests;

/// <summary>A narrow line, with a clock that ticks a thousand times a second.</summary>
public sealed class LinkShaperTests
{
    private const long Frequency = 1000;
    private const int Rate = 100_000;
    private const int FrameBytes = 1000;

    [Fact]
    public void Frames_leave_one_after_the_other_at_the_rate_of_the_line()
    {
        var shaper = new LinkShaper(Rate, 10 * FrameBytes, Frequency);

        var dues = Enumerable.Range(0, 5).Select(_ => Due(shaper, now: 50)).ToArray();

        Assert.Equal([60, 70, 80, 90, 100], dues);
    }

    [Fact]
    public void A_frame_that_finds_the_queue_full_is_dropped_and_there_is_room_again_later()
    {
        var shaper = new LinkShaper(Rate, 3 * FrameBytes, Frequency);
        var taken = Enumerable.Range(0, 5).Count(_ => shaper.TryTake(0, FrameBytes, out long _));

        Assert.Equal((3, 2), (taken, shaper.DroppedFrames));
        Assert.Equal(40, Due(shaper, now: 10));
        Assert.False(shaper.TryTake(10, FrameBytes, out _));
    }

    [Fact]
    public void An_idle_line_saves_nothing_up()
    {
        var shaper = new LinkShaper(Rate, 10 * FrameBytes, Frequency);
        _ = Due(shaper, now: 0);

        Assert.Equal(5010, Due(shaper, now: 5000));
        Assert.Equal(5020, Due(shaper, now: 5000));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Never_more_than_the_rate_passes_and_never_out_of_order(int seed)
    {
        var random = new Random(seed);
        var shaper = new LinkShaper(Rate, 8 * FrameBytes, Frequency);
        var (now, last) = (0L, 0L);
        for (var n = 0; n < 5000; n++)
        {
            now += random.Next(10);
            if (shaper.TryTake(now, random.Next(64, 1500), out var due))
            {
                Assert.True(due > last && due > now, $"seed {seed}: due at {due}, now {now}, before {last}");
                last = due;
            }
        }

        Assert.InRange(shaper.PassedBytes, 1, (last * Rate / Frequency) + 1500);
        Assert.True(shaper.DroppedFrames > 0, $"seed {seed}: nothing was dropped");
    }

    private static long Due(LinkShaper shaper, long now)
    {
        Assert.True(shaper.TryTake(now, FrameBytes, out var due));
        return due;
    }
}
