using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Dledger.Primitives.Tests;

public sealed class Crc32CTests
{
    /// <summary>RFC 3720, appendix B.4.</summary>
    [Fact]
    public void The_vectors_of_RFC_3720_hold()
    {
        var ascending = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();
        var descending = ascending.Reverse().ToArray();
        var ones = Enumerable.Repeat((byte)0xFF, 32).ToArray();

        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute(ones));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute(ascending));
        Assert.Equal(0x113FDB5Cu, Crc32C.Compute(descending));
    }

    [Fact]
    public void The_check_value_and_the_empty_sequence_hold()
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute(Encoding.ASCII.GetBytes("123456789")));
        Assert.Equal(0u, Crc32C.Compute([]));
    }

    [Fact]
    public void A_sequence_may_be_computed_in_any_two_parts()
    {
        Prop.ForAll<byte[], byte[]>((left, right) =>
            Crc32C.Append(Crc32C.Compute(left), right) == Crc32C.Compute([.. left, .. right]))
            .QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Every_length_agrees_with_the_bitwise_definition()
    {
        var random = new Random(1);
        for (var length = 0; length < 5000; length = length < 300 ? length + 1 : length + 251)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);

            Assert.Equal(Bitwise(bytes), Crc32C.Compute(bytes));
        }
    }

    [Fact]
    public void Every_length_up_to_5000_and_every_alignment_agrees_with_the_loop_of_one_lane()
    {
        var bytes = RandomBytes(5000 + 64);
        for (var length = 0; length <= 5000; length++)
        {
            var piece = bytes.AsSpan(length % 64, length);

            Assert.Equal(~Crc32C.Run(uint.MaxValue, piece), Crc32C.Compute(piece));
        }

        for (var start = 0; start < 64; start++)
        {
            var piece = bytes.AsSpan(start, 4096 + start);

            Assert.Equal(~Crc32C.Run(uint.MaxValue, piece), Crc32C.Compute(piece));
        }
    }

    /// <summary>Pieces of up to 9000 bytes: nothing, one lane, one round of three, several rounds.</summary>
    [Fact]
    public void A_long_sequence_may_be_computed_in_any_parts_from_any_seed()
    {
        var bytes = RandomBytes(100_000);
        Prop.ForAll<uint, NonNegativeInt[]>((seed, cuts) =>
        {
            var crc = seed;
            var at = 0;
            foreach (var cut in cuts)
            {
                var end = Math.Min(bytes.Length, at + (int)((uint)cut.Get * 2_654_435_761u % 9_000));
                crc = Crc32C.Append(crc, bytes.AsSpan(at..end));
                at = end;
            }

            return Crc32C.Append(crc, bytes.AsSpan(at)) == ~Crc32C.Run(~seed, bytes);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_flipped_bit_anywhere_in_three_lanes_changes_the_checksum()
    {
        var bytes = RandomBytes(3 * 1024);
        var crc = Crc32C.Compute(bytes);
        for (var bit = 0; bit < bytes.Length * 8; bit += 61)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));

            Assert.NotEqual(crc, Crc32C.Compute(bytes));

            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    private static byte[] RandomBytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static uint Bitwise(byte[] bytes)
    {
        var state = uint.MaxValue;
        foreach (var value in bytes)
        {
            state ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                state = (state >> 1) ^ ((state & 1) != 0 ? 0x82F63B78u : 0u);
            }
        }

        return ~state;
    }
}
