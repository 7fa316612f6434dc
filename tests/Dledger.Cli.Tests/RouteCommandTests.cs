namespace Dledger.Cli.Tests;

/// <summary>The commands about routes between topics, against a whole node.</summary>
public sealed class RouteCommandTests : NodeCommandTests
{
    [Fact]
    public async Task A_route_is_tried_added_listed_followed_explained_and_removed()
    {
        await RunAsync("topic", "create", "orders");
        await RunAsync("topic", "create", "audit");

        var trial = await RunAsync("topic", "route", "add", "--topic", "orders", "--to", "audit", "--tag", "red", "--dry-run");
        var before = await RunAsync("topic", "route", "list");
        var added = await RunAsync("topic", "route", "add", "--topic", "orders", "--to", "audit", "--tag", "red");
        await RunAsync("topic", "route", "add", "--topic", "orders", "--to", "audit", "--sql", "price > 10", "--name", "dear");
        var listed = await RunAsync("topic", "route", "list", "--topic", "orders", "--json");
        var table = await RunAsync("topic", "route", "list");
        var id = (await RunAsync("produce", "orders", "hello", "--tag", "red")).Output.Split(' ')[1];
        await RunAsync("produce", "orders", "other", "--tag", "blue");
        var consumed = await RunAsync("consume", "audit", "--group", "auditors", "--until-empty");
        var explained = await RunAsync("message", "explain", id, "--topic", "orders");
        var refused = await RunAsync("topic", "delete", "audit", "--yes");
        var removal = await RunAsync("topic", "route", "remove", "--topic", "orders", "--name", "audit", "--dry-run");
        var removed = await RunAsync("topic", "route", "remove", "--topic", "orders", "--name", "audit");
        var again = await RunAsync("topic", "route", "remove", "--topic", "orders", "--name", "audit");

        Assert.Equal("route audit: messages of topic orders with tag red would go to topic audit as well\n", trial.Output);
        Assert.StartsWith("no routes; add one: dledger topic route add", before.Error, StringComparison.Ordinal);
        Assert.Equal("route audit: messages of topic orders with tag red go to topic audit as well\n", added.Output);
        Assert.Equal(
            """{"routes":[{"topic":"orders","name":"audit","target":"audit","filter":"tag red"},"""
            + """{"topic":"orders","name":"dear","target":"audit","filter":"SQL price > 10"}]}""" + "\n",
            listed.Output.Replace("\\u003E", ">", StringComparison.Ordinal));
        Assert.Contains("orders  dear   audit   SQL price > 10", table.Output, StringComparison.Ordinal);
        Assert.Contains("hello", consumed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("other", consumed.Output, StringComparison.Ordinal);
        Assert.Contains("routed to offset 0 of queue 0 of topic 'audit'", explained.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Refused, refused.ExitCode);
        Assert.Contains("dledger topic route remove --topic orders --name audit", refused.Error, StringComparison.Ordinal);
        Assert.Equal("route audit of topic orders would be removed\n", removal.Output);
        Assert.Equal("route audit of topic orders removed\n", removed.Output);
        Assert.Equal(ExitCode.NotFound, again.ExitCode);
    }

    [Theory]
    [InlineData(ExitCode.Usage, "topic route add --topic orders")]
    [InlineData(ExitCode.Usage, "topic route add --topic orders --to audit --tag a --sql b=1")]
    [InlineData(ExitCode.Refused, "topic route add --topic orders --to orders")]
    [InlineData(ExitCode.Refused, "topic route add --topic orders --to audit --sql (((")]
    [InlineData(ExitCode.NotFound, "topic route add --topic orders --to nowhere")]
    [InlineData(ExitCode.NotFound, "topic route list --topic nowhere")]
    public async Task What_cannot_be_a_route_is_refused(ExitCode expected, string command)
    {
        await RunAsync("topic", "create", "orders");
        await RunAsync("topic", "create", "audit");

        var run = await RunAsync(command.Split(' '));

        Assert.Equal(expected, run.ExitCode);
        Assert.Equal("", run.Output);
    }
}
