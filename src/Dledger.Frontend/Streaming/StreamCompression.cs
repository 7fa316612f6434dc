using Dledger.Protocol.Stream.V1;

namespace Dledger.Frontend.Streaming;

/// <summary>What batches of streams are compressed with.</summary>
internal static class StreamCompression
{
    /// <summary>What is taken.</summary>
    public static readonly IReadOnlyList<Compression> All = [Compression.Lz4, Compression.Zlib];

    /// <summary>What a consumer can unpack, of what there is.</summary>
    public static IReadOnlyList<Primitives.Compression> Of(IEnumerable<Compression> wanted) =>
        [.. All.Intersect(wanted).Select(each => (Primitives.Compression)(int)each)];
}
