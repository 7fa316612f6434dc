namespace Dledger.Client.Streaming;

/// <summary>How a <see cref="StreamProducer"/> compresses batches as a whole.</summary>
public enum BatchCompression
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>LZ4: fast, for links and disks that are nearly fast enough.</summary>
    Lz4 = 1,

    /// <summary>zlib: smaller, and several times the work.</summary>
    Zlib = 2,
}
