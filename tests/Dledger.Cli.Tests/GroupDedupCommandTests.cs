namespace Dledger.Cli.Tests;

/// <summary>The options about processed keys of a group, against a whole node.</summary>
public sealed class GroupDedupCommandTests : NodeCommandTests
{
    [Fact]
    public async Task A_group_with_keys_is_made_used_described_explained_and_changed()
    {
        var created = await RunAsync("group", "create", "billing", "--dedup-by", "key", "--dedup-window", "2h");
        await RunAsync("produce", "orders", "first", "--key", "k1");
        var first = await RunAsync("consume", "orders", "--group", "billing", "--until-empty");
        var id = (await RunAsync("produce", "orders", "repeat", "--key", "k1")).Output.Split(' ')[1];
        var second = await RunAsync("consume", "orders", "--group", "billing", "--until-empty");
        var described = await RunAsync("group", "describe", "billing");
        var explained = await RunAsync("message", "explain", id, "--topic", "orders");
        var altered = await RunAsync("group", "alter", "billing", "--dedup-by", "property:order", "--dedup-count", "10", "--json");
        var ended = await RunAsync("group", "alter", "billing", "--dedup-by", "off");

        Assert.Equal("group billing, 17 attempts, one delivery for each key within 2h, at most 100000 keys\n", created.Output);
        Assert.Contains("first", first.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("repeat", second.Output, StringComparison.Ordinal);
        Assert.Contains(
            "1 messages finished without delivery as repeats; 1 keys are remembered\n", described.Output, StringComparison.Ordinal);
        Assert.Contains("processed another message of its key", explained.Output, StringComparison.Ordinal);
        Assert.Contains("\"property\":\"order\"", altered.Output, StringComparison.Ordinal);
        Assert.Equal("group billing, 17 attempts\n", ended.Output);
    }

    [Theory]
    [InlineData(ExitCode.Usage, "--dedup-by colour")]
    [InlineData(ExitCode.Usage, "--dedup-by key --dedup-window never")]
    [InlineData(ExitCode.Refused, "--dedup-by key --dedup-window 169h")]
    [InlineData(ExitCode.Refused, "--dedup-by key --dedup-count 1000001")]
    public async Task What_cannot_be_remembered_is_refused(ExitCode expected, string options)
    {
        var run = await RunAsync([.. $"group create billing {options}".Split(' ')]);

        Assert.Equal(expected, run.ExitCode);
        Assert.Equal("", run.Output);
    }
}
