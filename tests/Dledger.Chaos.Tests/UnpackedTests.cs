using System.Text;
using Dledger.Chaos.Clusters;
using Dledger.Primitives;

namespace Dledger.Chaos.Tests;

public sealed class UnpackedTests
{
    [Theory]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zlib)]
    public void What_a_producer_compressed_comes_out_as_it_was_and_damage_is_seen(Compression compression)
    {
        const int Seed = 11;
        var random = new Random(Seed);
        for (var round = 0; round < 200; round++)
        {
            var text = new StringBuilder();
            while (text.Length < 1_000 + (round * 50))
            {
                text.Append((char)('a' + random.Next(26)), 1 + random.Next(round % 10 == 0 ? 600 : 30));
            }

            var source = Encoding.ASCII.GetBytes(text.ToString());
            var packed = new byte[(2 * source.Length) + 100];
            Assert.True(CompressionCodec.TryCompress(compression, source, packed, out var written));

            Assert.Equal(source, Unpacked.Of((byte)compression, packed.AsSpan(0, written), source.Length));
            Assert.Null(Unpacked.Of((byte)compression, packed.AsSpan(0, written / 2), source.Length));
            Assert.Null(Unpacked.Of((byte)compression, packed.AsSpan(0, written), source.Length - 1));
        }
    }

    [Fact]
    public void An_unknown_compression_unpacks_to_nothing() => Assert.Null(Unpacked.Of(9, [1, 2, 3], 3));
}
