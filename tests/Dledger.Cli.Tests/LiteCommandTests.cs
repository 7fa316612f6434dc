namespace Dledger.Cli.Tests;

/// <summary>The commands about lite topics, against a whole node.</summary>
public sealed class LiteCommandTests : NodeCommandTests
{
    [Fact]
    public async Task Lite_topics_are_made_by_their_messages_listed_looked_at_and_deleted()
    {
        await RunAsync("topic", "create", "chats", "--type", "lite");

        var before = await RunAsync("topic", "lite", "list", "--topic", "chats");
        await RunAsync("produce", "chats", "hello", "--lite-topic", "room-1");
        await RunAsync("produce", "chats", "again", "--lite-topic", "room-1");
        await RunAsync("produce", "chats", "other", "--lite-topic", "room-10");
        var listed = await RunAsync("topic", "lite", "list", "--topic", "chats");
        var page = await RunAsync("topic", "lite", "list", "--topic", "chats", "--limit", "1", "--json");
        var trial = await RunAsync("topic", "lite", "delete", "room-1", "--topic", "chats", "--dry-run");
        var trialOfNone = await RunAsync("topic", "lite", "delete", "room-9", "--topic", "chats", "--dry-run", "--json");
        var unconfirmed = await RunAsync("topic", "lite", "delete", "room-1", "--topic", "chats");
        var deleted = await RunAsync("topic", "lite", "delete", "room-1", "--topic", "chats", "--yes");
        var again = await RunAsync("topic", "lite", "delete", "room-1", "--topic", "chats", "--yes");
        var left = await RunAsync("topic", "lite", "list", "--topic", "chats", "--json");

        Assert.StartsWith("no lite topics", before.Error, StringComparison.Ordinal);
        Assert.Contains("room-1 ", listed.Output, StringComparison.Ordinal);
        Assert.Contains("room-10", listed.Output, StringComparison.Ordinal);
        Assert.Contains("\"hasMore\":true", page.Output, StringComparison.Ordinal);
        Assert.Equal("lite topic room-1 of chats would be deleted: 2 messages\n", trial.Output);
        Assert.Equal("""{"topic":"chats","wouldDelete":null,"messages":0}""" + "\n", trialOfNone.Output);
        Assert.Equal(ExitCode.Usage, unconfirmed.ExitCode);
        Assert.Equal("lite topic room-1 of chats deleted\n", deleted.Output);
        Assert.Equal(ExitCode.NotFound, again.ExitCode);
        Assert.DoesNotContain("\"room-1\"", left.Output, StringComparison.Ordinal);
        Assert.Contains("\"room-10\"", left.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ExitCode.NotFound, "topic lite list --topic nowhere")]
    [InlineData(ExitCode.Usage, "topic lite list --topic chats --limit 0")]
    [InlineData(ExitCode.Usage, "topic lite delete room-1")]
    public async Task What_names_no_lite_topic_is_refused(ExitCode expected, string command)
    {
        await RunAsync("topic", "create", "chats", "--type", "lite");

        Assert.Equal(expected, (await RunAsync(command.Split(' '))).ExitCode);
    }
}
