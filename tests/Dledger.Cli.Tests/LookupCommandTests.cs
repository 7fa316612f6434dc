using System.Text.Json;
using Dledger.Client.Administration;
using Dledger.Client.Connections;
namespace Dledger.Cli.Tests;

/// <summary>The commands about stored messages and dead letters, against a whole node.</summary>
public sealed class LookupCommandTests : NodeCommandTests
{
    [Fact]
    public async Task A_produced_message_is_found_by_id_key_place_and_time_and_explained()
    {
        var id = await ProduceAsync("hello", "--tag", "red", "--key", "order-7");
        await ProduceAsync("other", "--key", "order-8");

        var byId = await RunAsync("message", "get", id, "--topic", "orders");
        var byPlace = await RunAsync("message", "get", "--topic", "orders", "--queue", "0", "--offset", "1", "--json");
        var byKey = await RunAsync("message", "find", "order-7", "--topic", "orders", "--json");
        var tail = await RunAsync("message", "tail", "orders", "--beginning", "--until-end");
        var before = await RunAsync("message", "explain", id, "--topic", "orders");
        await RunAsync("consume", "orders", "--group", "billing", "--max", "1");
        var after = await RunAsync("message", "explain", id, "--topic", "orders", "--json");
        var none = await RunAsync("message", "get", "nonsense", "--topic", "orders");

        Assert.Contains($"message {id} of topic orders\n", byId.Output, StringComparison.Ordinal);
        Assert.Contains("5 bytes: hello\n", byId.Output, StringComparison.Ordinal);
        Assert.Equal("other", Json(byPlace).GetProperty("body").GetString());
        Assert.Equal(id, Json(byKey).GetProperty("messageId").GetString());
        Assert.Equal("0/0 [red] hello\n0/1 other\n", tail.Output);
        Assert.Contains("no group has read this topic", before.Output, StringComparison.Ordinal);
        Assert.Equal("acknowledged", Json(after).GetProperty("groups")[0].GetProperty("state").GetString());
        Assert.Equal(
            ["stored", "delivered", "acknowledged"],
            Json(after).GetProperty("history").EnumerateArray().Select(each => each.GetProperty("kind").GetString()));
        Assert.Equal(ExitCode.NotFound, none.ExitCode);
    }

    [Fact]
    public async Task Dead_letters_are_counted_shown_exported_sent_again_once_and_purged()
    {
        var ids = await DeadLettersAsync(3);
        var file = Path.Combine(Folder, "letters.jsonl");

        var list = await RunAsync("dlq", "list", "--json");
        var show = await RunAsync("dlq", "show", "billing", "--json");
        var table = await RunAsync("dlq", "show", "billing");
        var inspect = await RunAsync("dlq", "inspect", "billing", ids[0]);
        var dry = await RunAsync("dlq", "resend", "billing", "--all", "--dry-run", "--json");
        var one = await RunAsync("dlq", "resend", "billing", "--id", ids[1], "--json");
        var all = await RunAsync("dlq", "resend", "billing", "--all", "--rate", "1000", "--json");
        var again = await RunAsync("dlq", "resend", "billing", "--all", "--json");
        var export = await RunAsync("dlq", "export", "billing", "--file", file);
        var unconfirmed = await RunAsync("dlq", "purge", "billing");
        var preview = await RunAsync("dlq", "purge", "billing", "--dry-run", "--json");
        var purge = await RunAsync("dlq", "purge", "billing", "--yes");
        var empty = await RunAsync("dlq", "show", "billing", "--json");

        var summary = Json(list).GetProperty("deadLetters")[0];
        Assert.Equal(("billing", "orders", 3), (
            summary.GetProperty("group").GetString(), summary.GetProperty("originTopic").GetString(),
            summary.GetProperty("count").GetInt32()));
        Assert.Equal(3, show.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("origin    topic orders", inspect.Output, StringComparison.Ordinal);
        Assert.Contains("\"offset\":0,\"attempts\":1,\"reason\":\"askedByConsumer\"", show.Output, StringComparison.Ordinal);
        Assert.Contains("dead      given up by its consumer, attempts 1\n", inspect.Output, StringComparison.Ordinal);
        Assert.Matches(
            $"0 +2 +{ids[2]} +orders +0 +2 +1 +given up by its consumer +\\S+ +no\n", table.Output);
        Assert.Equal((3, 0), Sent(dry));
        Assert.Equal((1, 0), Sent(one));
        Assert.Equal((2, 1), Sent(all));
        Assert.Equal((0, 3), Sent(again));
        Assert.Equal(3, (await File.ReadAllLinesAsync(file)).Length);
        Assert.Equal(ExitCode.Ok, export.ExitCode);
        Assert.Equal(ExitCode.Usage, unconfirmed.ExitCode);
        Assert.Equal(3, Json(preview).GetProperty("count").GetInt32());
        Assert.Equal("3 dead letters forgotten\n", purge.Output);
        Assert.Empty(empty.Output);
        Assert.Equal(6, (await RunAsync("message", "tail", "orders", "--beginning", "--until-end")).Output.Split('\n').Length - 1);
    }

    [Fact]
    public async Task A_dead_letter_goes_back_to_the_group_that_failed_and_to_no_other_one()
    {
        var ids = await DeadLettersAsync(2);
        await RunAsync("consume", "orders", "--group", "audit", "--max", "2");

        var dry = await RunAsync("dlq", "resend", "billing", "--id", ids[0], "--to-group", "--dry-run");
        var nothing = await RunAsync("consume", "orders", "--group", "billing", "--until-empty");
        var sent = await RunAsync("dlq", "resend", "billing", "--id", ids[0], "--to-group", "--json");
        var all = await RunAsync("dlq", "resend", "billing", "--all", "--to-group");
        var billing = await RunAsync("consume", "orders", "--group", "billing", "--until-empty");
        var audit = await RunAsync("consume", "orders", "--group", "audit", "--until-empty");
        var stored = await RunAsync("message", "tail", "orders", "--beginning", "--until-end");
        var why = await RunAsync("message", "explain", ids[0], "--topic", "orders", "--group", "billing");

        Assert.Equal("1 dead letter would be sent again to group billing only, 0 had been before\n", dry.Output);
        Assert.Empty(nothing.Output);
        Assert.Equal((1, 0), Sent(sent));
        Assert.True(Json(sent).GetProperty("toGroup").GetBoolean());
        Assert.Equal("1 dead letter sent again to group billing only, 1 had been before\n", all.Output);
        Assert.Contains("m0", billing.Output, StringComparison.Ordinal);
        Assert.Contains("m1", billing.Output, StringComparison.Ordinal);
        Assert.Empty(audit.Output);
        Assert.Equal("0/0 m0\n0/1 m1\n", stored.Output);
        Assert.Contains("replayed to the group: its attempts begin anew", why.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_letter_whose_message_is_gone_is_not_given_back_and_says_what_to_do()
    {
        await DeadLettersAsync(1);
        await RunAsync("topic", "delete", "orders", "--yes");

        var run = await RunAsync("dlq", "resend", "billing", "--all", "--to-group");

        Assert.Equal(ExitCode.Refused, run.ExitCode);
        Assert.Contains("leave --to-group out", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Consumed_messages_are_counted_and_replayed_to_a_group()
    {
        var id = await ProduceAsync("one", "--tag", "red", "--key", "k1");
        await ProduceAsync("two", "--tag", "blue");
        await ProduceAsync("three", "--tag", "red");
        await RunAsync("consume", "orders", "--group", "billing", "--max", "3");

        var dry = await RunAsync("group", "replay", "--group", "billing", "--topic", "orders", "--tag", "red", "--dry-run");
        var again = await RunAsync(
            "group", "replay", "-g", "billing", "-t", "orders", "--id", id, "--key", "k1", "--from", "2020-01-01T00:00:00Z", "--json");
        var first = await RunAsync("consume", "orders", "--group", "billing", "--max", "1");
        var range = await RunAsync(
            "group", "replay", "-g", "billing", "-t", "orders", "--queue", "0", "--offsets", "1-2", "--sql", "TAGS = 'blue'", "--limit", "5");
        var unknown = await RunAsync("group", "replay", "-g", "nobody", "-t", "orders");
        var refused = await RunAsync("group", "replay", "-g", "billing", "-t", "orders", "--offsets", "1-2");

        Assert.Equal(
            "group billing would get 2 messages of topic orders again, 0 skipped that it has not finished\n"
                + "QUEUE  AGAIN  SKIPPED\n0      2      0\n",
            dry.Output);
        Assert.Equal(1, Json(again).GetProperty("queues")[0].GetProperty("putBackCount").GetInt32());
        Assert.Contains("one", first.Output, StringComparison.Ordinal);
        Assert.Contains("gets 1 messages", range.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.NotFound, unknown.ExitCode);
        Assert.Equal(ExitCode.Refused, refused.ExitCode);
        Assert.Contains("name the queue", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broadcast_group_is_created_described_with_its_members_and_stays_one()
    {
        var created = await RunAsync("group", "create", "caches", "--broadcast", "--member-expiry", "1h");
        await ProduceAsync("before");
        await RunAsync("consume", "orders", "--group", "caches", "--until-empty");
        await ProduceAsync("one");
        var described = await RunAsync("group", "describe", "caches");
        var json = await RunAsync("group", "describe", "caches", "--json");
        var refused = await RunAsync("group", "alter", "caches", "--broadcast", "false");
        var usage = await RunAsync("group", "alter", "caches", "--member-expiry", "soon");

        Assert.Equal("group caches, 17 attempts, broadcast\n", created.Output);
        Assert.Contains("MEMBER", described.Output, StringComparison.Ordinal);
        Assert.Equal(1, Json(json).GetProperty("lagCount").GetInt32());
        Assert.Equal("01:00:00", Json(json).GetProperty("modes").GetProperty("memberExpiry").GetString());
        Assert.Single(Json(json).GetProperty("broadcastMembers").EnumerateArray());
        Assert.Equal(ExitCode.Refused, refused.ExitCode);
        Assert.Contains("create another group without broadcast", refused.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, usage.ExitCode);
    }

    [Theory]
    [InlineData("message get --topic orders")]
    [InlineData("message get x --topic orders --queue 1 --offset 2")]
    [InlineData("message find k --topic orders --from yesterday-ish")]
    [InlineData("group replay --group g")]
    [InlineData("group replay --group g --topic t --offsets 5")]
    [InlineData("group replay --group g --topic t --limit 0")]
    [InlineData("group replay --group g --topic t --queue -1")]
    [InlineData("dlq resend billing")]
    [InlineData("dlq resend billing --all --rate 0")]
    public async Task A_command_line_that_says_too_little_or_too_much_is_a_usage_fault(string command)
    {
        var run = await RunAsync(command.Split(' '));

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Empty(run.Output);
        Assert.NotEmpty(run.Error);
    }

    private static JsonElement Json(CommandRun run)
    {
        Assert.True(run.ExitCode == ExitCode.Ok, run.Error);
        return JsonDocument.Parse(run.Output).RootElement;
    }

    private static (int Sent, int SentBefore) Sent(CommandRun run) =>
        (Json(run).GetProperty("sent").GetInt32(), Json(run).GetProperty("sentBefore").GetInt32());

    private async Task<string> ProduceAsync(string body, params string[] options)
    {
        var run = await RunAsync(["produce", "orders", body, "--json", .. options]);
        return Json(run).GetProperty("messageId").GetString()!;
    }

    private async Task<List<string>> DeadLettersAsync(int count)
    {
        var ids = new List<string>();
        for (var n = 0; n < count; n++)
        {
            ids.Add(await ProduceAsync($"m{n}"));
        }

        await using var channel = new DledgerChannel(new DledgerChannelOptions { Addresses = [Address] });
        await new AdminClient(channel).CreateGroupAsync(new GroupDescription("billing", false, 17));
        await using var node = new RawConsumer(Address);
        await node.GiveUpAsync("billing", "orders", count);
        return ids;
    }
}
