using Dledger.Broker.Groups;
using Dledger.Broker.Letters;
using Dledger.Broker.Replays;
using Dledger.Broker.Tests.Simulation;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Tests.Events;

/// <summary>What an operator finds in the log of a node about what operators and time did.</summary>
public sealed class EventTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_replay_says_how_many_messages_of_what_wait_for_whom()
    {
        var log = new EventLog();
        var broker = new TestBroker(loggers: log);
        await broker.CreateTopic("t");
        await broker.Send("t", "a");
        await broker.Send("t", "b");
        foreach (var message in await broker.Receive("g", "t"))
        {
            Assert.Null(await broker.Ack("g", "t", message));
        }

        await broker.Run(node => node.ReplayAsync(new ReplayRequest { Group = "g", Topic = "t", IsDryRun = true }, None));
        Assert.DoesNotContain(log.Lines, line => line.Id == 3260);
        await broker.Run(node => node.ReplayAsync(new ReplayRequest { Group = "g", Topic = "t" }, None));

        var line = Assert.Single(log.Lines, line => line.Id == 3260);
        Assert.StartsWith("2 messages of queue 0 of topic t, which consumer group g had finished, wait", line.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "it said goodbye")]
    [InlineData(false, "it was silent for too long")]
    public async Task A_member_that_ends_says_who_it_was_and_why(bool leaves, string reason)
    {
        var log = new EventLog();
        var broker = new TestBroker(loggers: log);
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec
        {
            Name = "all",
            Settings = new GroupSettings { Broadcast = true, MemberExpiry = TimeSpan.FromMinutes(5) },
        });
        Assert.Empty(await broker.Receive("all", "t"));

        if (leaves)
        {
            broker.Node.ClientTerminated("client");
        }

        for (var minute = 0; minute < 10; minute++)
        {
            broker.Advance(TimeSpan.FromMinutes(1));
        }

        var line = Assert.Single(log.Lines, line => line.Id == 3261);
        Assert.StartsWith($"Client client is no member of broadcast group all any more, because {reason}:", line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Letters_that_are_sent_again_are_counted_by_call_and_a_dry_run_says_nothing()
    {
        var log = new EventLog();
        var broker = new TestBroker(loggers: log);
        await broker.CreateTopic("t");
        await broker.CreateGroup(new GroupSpec { Name = "g", Settings = new GroupSettings { MaxAttempts = 1 } });
        await broker.Send("t", "a");
        await broker.Receive("g", "t", invisibleSeconds: 5);
        broker.Advance(TimeSpan.FromSeconds(6));

        await broker.Run(node => node.ResendDeadLettersAsync("g", [default], new LetterResend(true, IsDryRun: true), None));
        await broker.Run(node => node.ResendDeadLettersAsync("g", [default], new LetterResend(true, IsDryRun: false), None));
        await broker.Run(node => node.ResendDeadLettersAsync("g", [default], None));

        var line = Assert.Single(log.Lines, line => line.Id == 3262);
        Assert.Equal("1 dead letters of consumer group g were sent again, to that group", line.Text);
        Assert.DoesNotContain(log.Lines, other => other.Id == 3260);
    }

    /// <summary>Keeps all lines.</summary>
    private sealed class EventLog : ILoggerFactory, ILogger
    {
        public List<(int Id, string Text)> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add((eventId.Id, formatter(state, exception)));

        public void Dispose()
        {
        }
    }
}
