namespace Dledger.Cli.Tests;

/// <summary>The commands that let a group stand still, against a whole node.</summary>
public sealed class PauseCommandTests : NodeCommandTests
{
    [Fact]
    public async Task A_paused_group_is_given_nothing_and_says_why_until_it_is_resumed()
    {
        await RunAsync("produce", "orders", "hello");
        await RunAsync("group", "create", "billing");

        var paused = await RunAsync("group", "pause", "billing", "--reason", "ledger closed");
        var described = await RunAsync("group", "describe", "billing");
        var nothing = await RunAsync("consume", "orders", "--group", "billing", "--until-empty");
        var resumed = await RunAsync("group", "resume", "billing");
        var consumed = await RunAsync("consume", "orders", "--group", "billing", "--until-empty");

        Assert.Equal(ExitCode.Ok, paused.ExitCode);
        Assert.Contains("ledger closed", described.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hello", nothing.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, resumed.ExitCode);
        Assert.Contains("hello", consumed.Output, StringComparison.Ordinal);
    }
}
