using Dledger.Primitives;

namespace Dledger.Broker.Streaming;

/// <summary>Records of a <see cref="RecordSlice"/> that go together: plain ones, or those of one batch that stays compressed.</summary>
/// <param name="FirstPlace">Index of the first of its places.</param>
/// <param name="PlaceCount">How many records it has.</param>
/// <param name="Start">Where its bytes begin in the slice.</param>
/// <param name="Length">How many they are.</param>
/// <param name="Compression">How they are compressed.</param>
/// <param name="UncompressedSize">Bytes of the records; of compressed ones only.</param>
/// <param name="StoreTimeMicroseconds">Log time of the records; of compressed ones only, others tell it themselves.</param>
public readonly record struct SlicePart(
    int FirstPlace,
    int PlaceCount,
    int Start,
    int Length,
    Compression Compression = Compression.None,
    int UncompressedSize = 0,
    long StoreTimeMicroseconds = 0);
