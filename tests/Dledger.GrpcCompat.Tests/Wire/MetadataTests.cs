using Grpc.Core;

namespace Dledger.GrpcCompat.Tests.Wire;

public sealed class MetadataTests
{
    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("colon:")]
    [InlineData("ümlaut")]
    [InlineData("line\n")]
    public void A_key_with_other_characters_is_refused(string key)
    {
        Assert.Throws<ArgumentException>(() => new Metadata().Add(key, "value"));
    }

    [Fact]
    public void Upper_case_keys_are_folded_and_found_in_any_case()
    {
        var metadata = new Metadata { { "X-Key_1.a", "value" } };

        Assert.Equal("x-key_1.a", metadata[0].Key);
        Assert.Equal("value", metadata.GetValue("X-KEY_1.A"));
    }

    [Fact]
    public void Bytes_need_a_key_that_ends_in_bin_and_text_one_that_does_not()
    {
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("x", [1]));
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("x-bin", "text"));
        Assert.Throws<InvalidOperationException>(() => new Metadata.Entry("x-bin", [1]).Value);
        Assert.Equal("AB"u8.ToArray(), new Metadata.Entry("x", "AB").ValueBytes);
    }

    [Fact]
    public void The_last_entry_of_a_key_is_the_one_got_and_all_are_listed_in_order()
    {
        var metadata = new Metadata { { "a", "1" }, { "b", "2" }, { "a", "3" } };

        Assert.Equal("3", metadata.GetValue("a"));
        Assert.Equal(["1", "3"], metadata.GetAll("a").Select(entry => entry.Value));
        Assert.Null(metadata.Get("c"));
    }

    [Fact]
    public void The_bytes_of_an_entry_are_copies()
    {
        byte[] bytes = [1, 2];
        var entry = new Metadata.Entry("x-bin", bytes);

        bytes[0] = 9;
        entry.ValueBytes[1] = 9;

        Assert.Equal([1, 2], entry.ValueBytes);
    }

    [Fact]
    public void The_shared_empty_list_cannot_be_changed()
    {
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("a", "b"));
    }
}
