using System.IO.Compression;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Dledger.Primitives.Tests;

public sealed class CompressionCodecTests
{
    /// <summary>What the format's page says, by hand: 5 literals; 4 of them again at distance 4; a run of one byte; the last literals.</summary>
    [Fact]
    public void A_block_that_was_made_by_hand_is_read()
    {
        byte[] block = [0x50, .. "abcde"u8, 4, 0, 0x1F, (byte)'x', 1, 0, 255, 1, 0x60, .. "ending"u8];
        var expected = "abcdebcdex" + new string('x', 15 + 256 + 4) + "ending";

        var content = new byte[expected.Length];

        Assert.True(Lz4Block.TryDecode(block, content));
        Assert.Equal(expected, Encoding.ASCII.GetString(content));
    }

    [Fact]
    public void A_block_that_was_written_keeps_its_bytes()
    {
        var source = Encoding.ASCII.GetBytes("order 1000001 order 1000002 order 1000003 order 1000004");
        var block = new byte[100];

        Assert.True(Lz4Block.TryEncode(source, block, out var length));

        Assert.Equal(
            "806F7264657220313001002831200E0019320E0015330E00503030303034",
            Convert.ToHexString(block.AsSpan(0, length)));
    }

    [Fact]
    public void A_block_of_the_reference_implementation_is_read()
    {
        // lz4 -9 -BD over the text forty times; the first block of its frame.
        var block = Convert.FromHexString("806f7264657220313001002831200e0019320e0019330e001f343700ffffffffffffffff51503030303034");
        var text = string.Concat(Enumerable.Repeat("order 1000001 order 1000002 order 1000003 order 1000004", 40));
        var content = new byte[text.Length];

        Assert.True(Lz4Block.TryDecode(block, content));
        Assert.Equal(text, Encoding.ASCII.GetString(content));
    }

    [Theory]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zlib)]
    public void What_was_compressed_is_restored_at_every_length(Compression compression)
    {
        var random = new Random(1);
        for (var length = 1; length < 70_000; length = length < 300 ? length + 1 : length + 6_007)
        {
            foreach (var symbols in (int[])[1, 3, 256])
            {
                var source = new byte[length];
                for (var i = 0; i < length; i++)
                {
                    source[i] = (byte)random.Next(symbols);
                }

                AssertRestored(compression, source);
            }
        }
    }

    [Fact]
    public void Whatever_repeats_is_restored() =>
        Prop.ForAll<NonEmptyArray<byte>, PositiveInt>((piece, times) =>
        {
            var source = Enumerable.Repeat(piece.Get, Math.Min(times.Get, 50)).SelectMany(bytes => bytes).ToArray();
            AssertRestored(Compression.Lz4, source);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_repeats_far_away_is_found_up_to_64_KiB_and_restored()
    {
        var random = new Random(2);
        var source = new byte[200_000];
        random.NextBytes(source);
        source.AsSpan(1_000, 500).CopyTo(source.AsSpan(60_000));
        source.AsSpan(100_000, 500).CopyTo(source.AsSpan(190_000));

        AssertRestored(Compression.Lz4, source);
    }

    [Theory]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zlib)]
    public void What_does_not_fit_is_not_compressed(Compression compression)
    {
        var source = new byte[1_000];
        new Random(3).NextBytes(source);

        Assert.False(CompressionCodec.TryCompress(compression, source, new byte[999], out _));
        Assert.False(CompressionCodec.TryCompress(compression, source, [], out _));
    }

    [Theory]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zlib)]
    public void What_has_another_length_than_is_said_is_refused(Compression compression)
    {
        var packed = Pack(compression, new byte[1_000]);

        Assert.False(CompressionCodec.TryDecompress(compression, packed, new byte[999]));
        Assert.False(CompressionCodec.TryDecompress(compression, packed, new byte[1_001]));
        Assert.False(CompressionCodec.TryDecompress(compression, [], new byte[1]));
        Assert.False(CompressionCodec.TryDecompress(Compression.None, packed, new byte[1_000]));
    }

    /// <summary>Blocks that end too early, point before their beginning, or hold more than there is room for.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("50616263")]
    [InlineData("F0")]
    [InlineData("F0FF")]
    [InlineData("1061")]
    [InlineData("106101")]
    [InlineData("10610000")]
    [InlineData("10610200")]
    [InlineData("10610100")]
    [InlineData("1F610100FFFFFFFFFF")]
    [InlineData("1F610100FFFFFFFFFF00")]
    public void A_malformed_block_is_refused(string hex) =>
        Assert.False(Lz4Block.TryDecode(Convert.FromHexString(hex), new byte[300]));

    [Theory]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zlib)]
    public void Noise_never_does_harm(Compression compression)
    {
        var random = new Random(4);
        var packed = Pack(compression, Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 200).Select(number => $"order {number} "))));
        var guard = new byte[4_096];
        for (var round = 0; round < 20_000; round++)
        {
            var noise = packed.ToArray();
            for (var flips = 1 + random.Next(4); flips > 0; flips--)
            {
                noise[random.Next(noise.Length)] = (byte)random.Next(256);
            }

            Array.Fill(guard, (byte)0xA5);
            CompressionCodec.TryDecompress(compression, noise.AsSpan(0, random.Next(noise.Length + 1)), guard.AsSpan(0, 2_000));

            Assert.False(guard.AsSpan(2_000).ContainsAnyExcept((byte)0xA5));
        }
    }

    [Fact]
    public void What_zlib_of_the_platform_made_is_read()
    {
        var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.SmallestSize))
        {
            zlib.Write(new byte[5_000]);
        }

        Assert.True(CompressionCodec.TryDecompress(Compression.Zlib, packed.ToArray(), new byte[5_000]));
    }

    private static void AssertRestored(Compression compression, byte[] source)
    {
        var packed = Pack(compression, source);
        var restored = new byte[source.Length];

        Assert.True(CompressionCodec.TryDecompress(compression, packed, restored));
        Assert.Equal(source, restored);
    }

    private static byte[] Pack(Compression compression, byte[] source)
    {
        var packed = new byte[source.Length + (source.Length / 8) + 64];
        Assert.True(CompressionCodec.TryCompress(compression, source, packed, out var length));
        return packed[..length];
    }
}
