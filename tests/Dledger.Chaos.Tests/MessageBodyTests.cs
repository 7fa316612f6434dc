using System.Text;
using Dledger.Chaos.Histories;

namespace Dledger.Chaos.Tests;

/// <summary>A body shows every changed byte.</summary>
public sealed class MessageBodyTests
{
    [Fact]
    public void A_body_names_its_id_and_topic()
    {
        var body = MessageBody.Encode("p1.7", "chaos", 200);

        Assert.Equal(200, body.Length);
        Assert.True(MessageBody.TryDecode(body, out var id, out var topic));
        Assert.Equal(("p1.7", "chaos"), (id, topic));
    }

    [Fact]
    public void Every_flipped_bit_and_every_cut_is_seen()
    {
        var body = MessageBody.Encode("p1.7", "chaos", 80);

        for (var bit = 0; bit < 8 * body.Length; bit++)
        {
            var damaged = body.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(MessageBody.TryDecode(damaged, out _, out _), $"bit {bit}");
        }

        for (var length = 0; length < body.Length; length++)
        {
            Assert.False(MessageBody.TryDecode(body.AsSpan(0, length), out _, out _), $"length {length}");
        }
    }

    [Theory]
    [InlineData(false, 0xCBF43926)]
    [InlineData(true, 0xE3069283)]
    public void Check_sums_have_their_published_value(bool isCastagnoli, uint expected) => Assert.Equal(
        expected, Crc.Of(Encoding.ASCII.GetBytes("123456789"), isCastagnoli ? Crc.Castagnoli : Crc.Ieee));
}
