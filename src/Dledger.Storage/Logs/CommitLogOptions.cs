namespace Dledger.Storage.Logs;

/// <summary>
/// Sizes and rates of a <see cref="CommitLog"/>. The defaults fit a server; a laptop wants smaller segments.
/// </summary>
public sealed record CommitLogOptions
{
    /// <summary>Bytes of the header page of a segment.</summary>
    public const int SegmentHeaderBytes = 4096;

    /// <summary>Bytes of frames in a full segment; at least <see cref="FrameBytesMax"/>, a multiple of 4096.</summary>
    public long SegmentBytes { get; init; } = 1L << 30;

    /// <summary>Segments kept ready for the next rolls, 0 to 16. Each takes the size of a segment on disk.</summary>
    public int SpareCount { get; init; } = 2;

    /// <summary>
    /// Whether spares are written with zeros beforehand, which halves the time of a sync. Off saves disk writes where
    /// the file system copies on write or commit latency does not matter.
    /// </summary>
    public bool ZeroFillSpares { get; init; } = true;

    /// <summary>Rate at which spares are written while none is urgent, bytes per second.</summary>
    public long PrepareBytesPerSecond { get; init; } = 16L << 20;

    /// <summary>
    /// Appends of at least this many bytes go past the page cache of the system: the copy, and memory for what the tail cache has anyway,
    /// cost more than the device does. 0 is all of them; where nothing is synced before it is acknowledged, small ones are sooner done
    /// in the cache.
    /// </summary>
    public int UncachedBytesMin { get; init; }

    /// <summary>The largest frame that is written or accepted, bytes.</summary>
    public int FrameBytesMax { get; init; } = 8 << 20;

    /// <summary>The watermark is renewed with the next sync when it is older than this.</summary>
    public TimeSpan WatermarkDelayMax { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Most bytes written and not synced; a longer batch is synced on the way. Also bounds the watermark's lag.
    /// </summary>
    public long UnsyncedBytesMax { get; init; } = 32L << 20;

    /// <summary>
    /// Bytes of a file that is given up when a write of the log finds no space, 0 for none; at most 1 GiB.
    /// </summary>
    public long ReserveBytes { get; init; } = 64L << 20;

    /// <summary>Rate at which sealed segments are read to find damage, bytes per second.</summary>
    public long ScrubBytesPerSecond { get; init; } = 10L << 20;

    /// <summary>A log checkpoint is due after this many bytes.</summary>
    public long CheckpointBytes { get; init; } = 256L << 20;

    /// <summary>Most bytes between the watermark on disk and the end of the log: end - W is never above it.</summary>
    public long UnverifiedBytesMax => 2 * UnsyncedBytesMax;

    /// <summary>
    /// All problems at once, each naming the option and its range; empty when the options can be used.
    /// </summary>
    public IReadOnlyList<string> Validate()
    {
        var problems = new List<string>();
        Require(FrameBytesMax is >= 4096 and <= (64 << 20), nameof(FrameBytesMax), FrameBytesMax, "4096 to 67108864");
        Require(
            SegmentBytes >= FrameBytesMax && SegmentBytes % 4096 == 0 && SegmentBytes <= 1L << 40,
            nameof(SegmentBytes), SegmentBytes, $"a multiple of 4096 from FrameBytesMax ({FrameBytesMax}) to 1 TiB");
        Require(UncachedBytesMin >= 0, nameof(UncachedBytesMin), UncachedBytesMin, "at least 0");
        Require(SpareCount is >= 0 and <= 16, nameof(SpareCount), SpareCount, "0 to 16");
        Require(
            UnsyncedBytesMax >= FrameBytesMax && UnsyncedBytesMax <= 1L << 30,
            nameof(UnsyncedBytesMax), UnsyncedBytesMax, $"FrameBytesMax ({FrameBytesMax}) to 1 GiB");
        Require(
            PrepareBytesPerSecond >= 1 << 20,
            nameof(PrepareBytesPerSecond), PrepareBytesPerSecond, "at least 1048576");
        Require(ReserveBytes is >= 0 and <= (1L << 30), nameof(ReserveBytes), ReserveBytes, "0 to 1073741824");
        Require(
            ScrubBytesPerSecond >= 1 << 16,
            nameof(ScrubBytesPerSecond), ScrubBytesPerSecond, "at least 65536");
        Require(CheckpointBytes >= FrameBytesMax, nameof(CheckpointBytes), CheckpointBytes, "at least FrameBytesMax");
        return problems;

        void Require(bool holds, string key, long value, string range)
        {
            if (!holds)
            {
                problems.Add($"{key} is {value}, allowed is {range}");
            }
        }
    }
}
