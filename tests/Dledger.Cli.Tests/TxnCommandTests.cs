namespace Dledger.Cli.Tests;

/// <summary>The commands about transactions, against a whole node.</summary>
public sealed class TxnCommandTests : NodeCommandTests
{
    [Fact]
    public async Task Open_transactions_are_listed_shown_and_committed_by_an_operator()
    {
        var id = await BeginAsync("m1", "hello");

        var list = await RunAsync("txn", "list");
        var show = await RunAsync("txn", "show", id);
        var dry = await RunAsync("txn", "commit", id, "--dry-run");
        var before = await RunAsync("message", "tail", "payments", "--beginning", "--until-end");
        var waiting = await RunAsync("message", "explain", "m1", "--topic", "payments");
        var commit = await RunAsync("txn", "commit", id);
        var after = await RunAsync("message", "tail", "payments", "--beginning", "--until-end");
        var repeat = await RunAsync("txn", "commit", id);
        var opposite = await RunAsync("txn", "rollback", id);

        Assert.Matches($"{id} +payments +m1 +1 +\\d+ +Open", list.Output);
        Assert.StartsWith($"transaction {id} of topic payments: Open, 1 messages, stored ", show.Output, StringComparison.Ordinal);
        Assert.EndsWith("m1 hello\n", show.Output, StringComparison.Ordinal);
        Assert.Equal("1 transactions would be committed\n", dry.Output);
        Assert.Empty(before.Output);
        Assert.Contains($"its producer has not decided the transaction {id}", waiting.Output, StringComparison.Ordinal);
        Assert.Equal("1 transactions committed\n", commit.Output);
        Assert.Equal("0/0 hello\n", after.Output);
        Assert.Equal(ExitCode.Ok, repeat.ExitCode);
        Assert.NotEqual(ExitCode.Ok, opposite.ExitCode);
        Assert.Contains("was committed already", opposite.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rolled_back_transaction_stays_to_be_looked_at()
    {
        var id = await BeginAsync("m1", "hello");
        var other = await BeginAsync("m2", "other");

        var rollback = await RunAsync("txn", "rollback", id, "--json");
        var open = await RunAsync("txn", "list", "--topic", "payments", "--json");
        var discarded = await RunAsync("txn", "list", "--discarded", "--json");
        var show = await RunAsync("txn", "show", id, "--json");
        var why = await RunAsync("message", "explain", "m1", "--topic", "payments", "--json");

        Assert.Equal("rolled back", rollback.Json().GetProperty("outcome").GetString());
        Assert.Equal(other, Assert.Single(open.Json().GetProperty("transactions").EnumerateArray()).GetProperty("transactionId").GetString());
        Assert.Equal(id, Assert.Single(discarded.Json().GetProperty("transactions").EnumerateArray()).GetProperty("transactionId").GetString());
        Assert.Single(show.Json().GetProperty("messages").EnumerateArray());
        Assert.Equal("rolledBack", why.Json().GetProperty("state").GetString());
        Assert.Contains("by an operator", why.Json().GetProperty("sentence").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_checks_of_a_topic_are_shown_and_changed()
    {
        await RunAsync("topic", "create", "payments", "--type", "transaction");

        var shown = await RunAsync("txn", "checks", "payments");
        var changed = await RunAsync("txn", "checks", "payments", "--first", "2s", "--interval", "1m", "--max", "3", "--json");
        var refused = await RunAsync("txn", "checks", "payments", "--max", "101");
        var again = await RunAsync("txn", "checks", "payments");

        Assert.Equal("first check after 00:00:06, then every 00:00:30, at most 15\n", shown.Output);
        Assert.Equal(3, changed.Json().GetProperty("countMax").GetInt32());
        Assert.Equal(ExitCode.Refused, refused.ExitCode);
        Assert.Contains("100", refused.Error, StringComparison.Ordinal);
        Assert.Equal("first check after 00:00:02, then every 00:01:00, at most 3\n", again.Output);
    }

    [Fact]
    public async Task A_transaction_that_nobody_knows_is_refused_and_an_empty_list_says_so()
    {
        var none = await RunAsync("txn", "list");
        var show = await RunAsync("txn", "show", "nonsense");
        var commit = await RunAsync("txn", "commit", "nonsense");

        Assert.Empty(none.Output);
        Assert.Contains("no transactions", none.Error, StringComparison.Ordinal);
        Assert.NotEqual(ExitCode.Ok, show.ExitCode);
        Assert.NotEqual(ExitCode.Ok, commit.ExitCode);
    }

    private async Task<string> BeginAsync(string messageId, string body)
    {
        await RunAsync("topic", "create", "payments", "--type", "transaction");
        await using var producer = new RawProducer(Address);
        return await producer.BeginAsync("payments", messageId, body);
    }
}
