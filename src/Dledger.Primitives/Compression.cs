namespace Dledger.Primitives;

/// <summary>How a run of bytes is compressed as a whole. Persisted and sent: the numbers never change.</summary>
public enum Compression : byte
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>One LZ4 block, without frame: fast.</summary>
    Lz4 = 1,

    /// <summary>RFC 1950: smaller.</summary>
    Zlib = 2,
}
