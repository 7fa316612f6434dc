#if !OFFICIAL_GRPC
using Dledger.GrpcCompat.Wire;

namespace Dledger.GrpcCompat.Tests.Wire;

public sealed class PercentEncodingTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain ~ text!", "plain ~ text!")]
    [InlineData("100%", "100%25")]
    [InlineData("a\tb\r\n", "a%09b%0D%0A")]
    [InlineData("é", "%C3%A9")]
    [InlineData("☺", "%E2%98%BA")]
    [InlineData("😈", "%F0%9F%98%88")]
    [InlineData("\u007f", "%7F")]
    public void Text_is_encoded_and_decoded_back(string text, string encoded)
    {
        Assert.Equal(encoded, PercentEncoding.Encode(text));
        Assert.Equal(text, PercentEncoding.Decode(encoded));
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz", "%zz")]
    [InlineData("a%%41", "a%A")]
    [InlineData("%c3%a9", "é")]
    [InlineData("%ff", "\ufffd")]
    public void What_is_no_valid_escape_stays_as_it_is(string encoded, string text)
    {
        Assert.Equal(text, PercentEncoding.Decode(encoded));
    }

    [Fact]
    public void A_lone_surrogate_becomes_the_replacement_character()
    {
        Assert.Equal("%EF%BF%BD", PercentEncoding.Encode("\ud83d"));
    }

    [Fact]
    public void A_long_text_is_cut_between_characters_at_the_limit()
    {
        var encoded = PercentEncoding.Encode(new string('☺', 2000));

        Assert.InRange(encoded.Length, PercentEncoding.EncodedCharsMax - 9, PercentEncoding.EncodedCharsMax);
        Assert.Equal(new string('☺', encoded.Length / 9), PercentEncoding.Decode(encoded));
        Assert.Equal(PercentEncoding.EncodedCharsMax, PercentEncoding.Encode(new string('a', 10_000)).Length);
    }
}
#endif
