namespace Dledger.Cli.Tests;

/// <summary>The commands about parked messages, against a whole node.</summary>
public sealed class ParkedCommandTests : NodeCommandTests
{
    [Fact]
    public async Task Parked_messages_are_listed_and_delivered_again_when_they_are_released()
    {
        await ParkAsync("first", "second");

        var list = await RunAsync("parked", "list", "billing");
        var json = await RunAsync("parked", "list", "billing", "--json");
        var dry = await RunAsync("parked", "release", "billing", "--topic", "orders", "--queue", "0", "--offset", "0", "--dry-run", "--json");
        var nothing = await RunAsync("consume", "orders", "--group", "billing", "--until-empty");
        var released = await RunAsync("parked", "release", "billing", "--topic", "orders", "--queue", "0", "--offset", "0");
        var consumed = await RunAsync("consume", "orders", "--group", "billing", "--until-empty");
        var rest = await RunAsync("parked", "list", "billing", "--json");

        Assert.Matches("orders +0 +0 +\\S+ +- +1 ", list.Output);
        Assert.Equal(2, json.Json().GetProperty("count").GetInt32());
        Assert.Equal(1, dry.Json().GetProperty("count").GetInt32());
        Assert.Empty(nothing.Output);
        Assert.Equal("1 messages of group billing are delivered again\n", released.Output);
        Assert.Contains("first", consumed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("second", consumed.Output, StringComparison.Ordinal);
        var left = Assert.Single(rest.Json().GetProperty("messages").EnumerateArray());
        Assert.Equal(1, left.GetProperty("offset").GetInt32());
    }

    [Fact]
    public async Task Dropped_ones_become_dead_letters_that_say_so()
    {
        await ParkAsync("poison");

        var dry = await RunAsync("parked", "drop", "billing", "--dry-run");
        var before = await RunAsync("dlq", "list", "--json");
        var dropped = await RunAsync("parked", "drop", "billing", "--json");
        var parked = await RunAsync("parked", "list", "billing", "--json");
        var letters = await LettersAsync();

        Assert.Contains("orders", dry.Output, StringComparison.Ordinal);
        Assert.Empty(before.Json().GetProperty("deadLetters").EnumerateArray());
        Assert.Equal(1, dropped.Json().GetProperty("count").GetInt32());
        Assert.Equal(0, parked.Json().GetProperty("count").GetInt32());
        Assert.Contains("\"reason\":\"droppedByOperator\"", letters, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_names_no_group_or_no_place_is_refused()
    {
        var unknown = await RunAsync("parked", "list", "nobody");
        await ParkAsync("poison");
        var half = await RunAsync("parked", "release", "billing", "--offset", "0");

        Assert.Equal(ExitCode.NotFound, unknown.ExitCode);
        Assert.Contains("nobody", unknown.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Refused, half.ExitCode);
        Assert.Contains("queue", half.Error, StringComparison.Ordinal);
    }

    private async Task ParkAsync(params string[] bodies)
    {
        await RunAsync("group", "create", "billing", "--poison", "park", "--max-attempts", "1");
        foreach (var body in bodies)
        {
            await RunAsync("produce", "orders", body);
        }

        await using var consumer = new RawConsumer(Address);
        await consumer.GiveUpAsync("billing", "orders", bodies.Length);
    }

    // The copy is made a moment after the message was dropped.
    private async Task<string> LettersAsync()
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromSeconds(20))
        {
            var show = await RunAsync("dlq", "show", "billing", "--json");
            if (show.Output.Length > 0)
            {
                return show.Output;
            }
        }

        return "no letter in time";
    }
}
