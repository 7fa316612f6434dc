#if !OFFICIAL_GRPC
using Dledger.GrpcCompat.Wire;
using Grpc.Core;

namespace Dledger.GrpcCompat.Tests.Wire;

public sealed class BinaryHeaderTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("AA", "00")]
    [InlineData("AA==", "00")]
    [InlineData("q6ur", "ababab")]
    [InlineData("q6urAQ", "ababab01")]
    [InlineData("q6urAQ==", "ababab01")]
    [InlineData(" q6ur ", "ababab")]
    public void Values_are_read_with_and_without_padding(string text, string hex)
    {
        Assert.True(BinaryHeader.TryDecode(text, out var bytes));
        Assert.Equal(hex, Convert.ToHexStringLower(bytes));
    }

    [Theory]
    [InlineData("A")]
    [InlineData("AAAAA")]
    [InlineData("A-A_")]
    [InlineData("q6*r")]
    public void What_is_not_base64_is_refused(string text)
    {
        Assert.False(BinaryHeader.TryDecode(text, out _));
    }

    [Fact]
    public void Values_are_sent_without_padding()
    {
        Assert.Equal("q6urAQ", BinaryHeader.Encode([0xab, 0xab, 0xab, 1]));
    }

    [Fact]
    public void Values_joined_by_commas_become_entries_of_their_own()
    {
        var metadata = new Metadata();

        Assert.True(BinaryHeader.TryAdd(metadata, "x-bin", "AA==, AQ,Ag"));

        Assert.Equal([0, 1, 2], metadata.GetAll("x-bin").Select(entry => (int)entry.ValueBytes.Single()));
    }
}
#endif
