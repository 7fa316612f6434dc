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
