using Dledger.Protocol.Stream.V1;

namespace Dledger.Client.Streaming;

/// <summary>How a <see cref="StreamConsumer"/> or a <see cref="QueueReader"/> is given messages.</summary>
public sealed record StreamConsumerOptions
{
    /// <summary>Bytes of messages that may be on their way or wait here, at least 64 KiB.</summary>
    public long BufferBytesMax { get; init; } = 8 << 20;

    /// <summary>Most messages of one delivery, 1 to 1,024. A reader of a queue does not look at it.</summary>
    public int BatchCountMax { get; init; } = 256;

    /// <summary>Time to settle a delivery before it goes to somebody else, 1 s to 12 h. A reader of a queue does not look at it.</summary>
    public TimeSpan InvisibleDuration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Tags that are wanted, separated by <c>||</c>, or <c>*</c> for all; an SQL92 expression where <see cref="IsSql"/> is set.</summary>
    public string Filter { get; init; } = "*";

    /// <summary><see cref="Filter"/> is an SQL92 expression.</summary>
    public bool IsSql { get; init; }

    /// <summary>
    /// Batches that their producer compressed come as they are stored, and are unpacked here. Otherwise the node unpacks them.
    /// </summary>
    public bool TakesCompressed { get; init; } = true;

    internal IReadOnlyList<Compression> Compressions => TakesCompressed ? [Compression.Lz4, Compression.Zlib] : [];

    internal void Check()
    {
        if (BufferBytesMax < 64 << 10)
        {
            throw new ArgumentOutOfRangeException(nameof(BufferBytesMax), BufferBytesMax, "at least 65536 is allowed");
        }

        if (BatchCountMax is < 1 or > 1_024)
        {
            throw new ArgumentOutOfRangeException(nameof(BatchCountMax), BatchCountMax, "1 to 1024 are allowed");
        }
    }
}
