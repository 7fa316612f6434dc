using System.Text.Json;

namespace Dledger.Cli.Tests;

/// <summary>The commands about delayed messages, against a whole node.</summary>
public sealed class TimerCommandTests : NodeCommandTests
{
    [Fact]
    public async Task Waiting_messages_are_listed_shown_moved_and_cancelled_by_key()
    {
        var early = await DelayAsync("early", "1h", "order-7");
        var late = await DelayAsync("late", "2h", "order-8");

        var list = await RunAsync("timer", "list", "reminders", "--json");
        var byKey = await RunAsync("timer", "list", "reminders", "--key", "order-8");
        var show = await RunAsync("timer", "show", "reminders", early);
        var dry = await RunAsync("timer", "move", "reminders", "--key", "order-7", "--delay", "3h", "--dry-run");
        var moved = await RunAsync("timer", "move", "reminders", "--key", "order-7", "--delay", "3h");
        var order = await RunAsync("timer", "list", "reminders", "--json");
        var why = await RunAsync("message", "explain", early, "--topic", "reminders");
        var cancelled = await RunAsync("timer", "cancel", "reminders", "--key", "order-8", "--json");
        var gone = await RunAsync("timer", "show", "reminders", late);
        var recalled = await RunAsync("message", "explain", late, "--topic", "reminders", "--json");

        Assert.Equal([early, late], Ids(list));
        Assert.Contains(late, byKey.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(early, byKey.Output, StringComparison.Ordinal);
        Assert.Contains($"message     {early}\n", show.Output, StringComparison.Ordinal);
        Assert.Contains("keys        order-7\n", show.Output, StringComparison.Ordinal);
        Assert.Contains("1 messages would be moved; nothing was changed", dry.Error, StringComparison.Ordinal);
        Assert.Equal("1 messages of topic reminders moved\n", moved.Output);
        Assert.Equal([late, early], Ids(order));
        Assert.Contains("which an operator set", why.Output, StringComparison.Ordinal);
        Assert.Equal(1, cancelled.Json().GetProperty("count").GetInt32());
        Assert.Equal(ExitCode.NotFound, gone.ExitCode);
        Assert.Equal("recalled", recalled.Json().GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_handle_cancels_one_message_and_no_other()
    {
        var first = await DelayAsync("first", "1h", "k");
        await DelayAsync("second", "1h", "k");
        var handle = Entries(await RunAsync("timer", "list", "reminders", "--json"))
            .First(each => each.GetProperty("messageId").GetString() == first).GetProperty("recallHandle").GetString()!;

        var cancelled = await RunAsync("timer", "cancel", "reminders", "--handle", handle);
        var again = await RunAsync("timer", "cancel", "reminders", "--handle", handle);
        var left = await RunAsync("timer", "list", "reminders");

        Assert.Equal($"message {first} cancelled\n", cancelled.Output);
        Assert.Equal(ExitCode.NotFound, again.ExitCode);
        Assert.Contains("1 listed; 1 messages of topic reminders wait", left.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_that_is_moved_to_now_is_delivered()
    {
        await DelayAsync("soon", "1h", "k");

        var moved = await RunAsync("timer", "move", "reminders", "--all", "--delay", "1s");
        var consumed = await RunAsync("consume", "reminders", "--group", "billing", "--max", "1");

        Assert.Equal(ExitCode.Ok, moved.ExitCode);
        Assert.Contains("soon", consumed.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("timer cancel reminders")]
    [InlineData("timer move reminders --all")]
    [InlineData("timer move reminders --delay 1h")]
    [InlineData("timer cancel reminders --handle h --all")]
    [InlineData("timer list reminders --limit 0")]
    public async Task A_command_line_that_says_too_little_or_too_much_is_a_usage_fault(string command)
    {
        var run = await RunAsync(command.Split(' '));

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Empty(run.Output);
        Assert.NotEmpty(run.Error);
    }

    private static IEnumerable<JsonElement> Entries(CommandRun run) => run.Json().GetProperty("messages").EnumerateArray();

    private static IEnumerable<string?> Ids(CommandRun run) => Entries(run).Select(each => each.GetProperty("messageId").GetString());

    private async Task<string> DelayAsync(string body, string delay, string key)
    {
        await RunAsync("topic", "create", "reminders", "--type", "delay");
        var run = await RunAsync("produce", "reminders", body, "--delay", delay, "--key", key, "--json");
        return run.Json().GetProperty("messageId").GetString()!;
    }
}
