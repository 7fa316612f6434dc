namespace Dledger.Client.Streaming;

/// <summary>How a <see cref="StreamProducer"/> sends.</summary>
public sealed record StreamProducerOptions
{
    /// <summary>
    /// Number the messages, so that a batch which is repeated after an unknown outcome is stored once.
    /// </summary>
    public bool IsNumbered { get; init; } = true;

    /// <summary>Most batches without an answer, 1 to 64; what comes meanwhile gathers in the next ones.</summary>
    public int BatchesInFlightMax { get; init; } = 8;

    /// <summary>Most messages that are gathered into one batch, 1 to 1,024.</summary>
    public int BatchCountMax { get; init; } = 512;

    /// <summary>Bytes at which a batch is closed, 1 KiB to 4 MiB.</summary>
    public int BatchBytesMax { get; init; } = 512 << 10;

    /// <summary>Bytes that may wait or be in flight; sends beyond it wait. At least 1 MiB.</summary>
    public long BufferBytesMax { get; init; } = 32 << 20;

    /// <summary>
    /// What batches are compressed with, each as a whole; they are stored, replicated and delivered so where the topic allows it. Small
    /// ones, and those that hardly shrink, go as they are, and so do all to a cluster that does not know the compression.
    /// </summary>
    public BatchCompression Compression { get; init; } = BatchCompression.None;

    internal void Check()
    {
        if (!Enum.IsDefined(Compression))
        {
            throw new ArgumentOutOfRangeException(nameof(Compression), Compression, "not a compression");
        }

        Check(BatchesInFlightMax, 1, 64, nameof(BatchesInFlightMax));
        Check(BatchCountMax, 1, 1_024, nameof(BatchCountMax));
        Check(BatchBytesMax, 1 << 10, 4 << 20, nameof(BatchBytesMax));
        Check(BufferBytesMax, 1 << 20, long.MaxValue, nameof(BufferBytesMax));
    }

    private static void Check(long value, long min, long max, string name)
    {
        if (value < min || value > max)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{min} to {max} are allowed");
        }
    }
}
