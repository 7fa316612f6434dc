using System.Text;
using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Testing.Disks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dledger.Broker.Tests.Simulation;

/// <summary>A broker over a log in memory; everything runs on the test's thread, in one order.</summary>
internal sealed class TestBroker
{
    private readonly CallLoop _calls = new();
    private readonly BrokerOptions _options;
    private readonly ILoggerFactory _loggers;

    public TestBroker(BrokerOptions? options = null, SimulatedDisk? disk = null, ILoggerFactory? loggers = null)
    {
        _loggers = loggers ?? NullLoggerFactory.Instance;
        _options = options ?? new BrokerOptions { AutoCreateTopics = true };
        Disk = disk ?? new SimulatedDisk(seed: 1);
        Log = new MemoryLog(Time, _calls);
        Node = Open();
        RestoredAt = Log.Start(Node.StateMachine);
        Log.Lead();
    }

    public ManualTime Time { get; } = new();

    public SimulatedDisk Disk { get; }

    public MemoryLog Log { get; }

    public BrokerNode Node { get; private set; }

    /// <summary>Where the newest start continued.</summary>
    public LogPosition RestoredAt { get; private set; }

    public ulong StateHash => Node.Machine.StateHash;

    /// <summary>Starts a call and runs everything until it is quiet; the call may still wait then.</summary>
    public Task<T> Start<T>(Func<BrokerNode, ValueTask<T>> call)
    {
        var task = _calls.Run(() => call(Node).AsTask());
        Settle();
        return task;
    }

    /// <summary>Runs a call to its end.</summary>
    public Task<T> Run<T>(Func<BrokerNode, ValueTask<T>> call)
    {
        var task = Start(call);
        Assert.True(task.IsCompleted, "the call still waits");
        return task;
    }

    /// <summary>Runs everything until it is quiet.</summary>
    public void Settle()
    {
        // What a step leaves to other threads runs behind it, on this one.
        for (var round = 0; _calls.Drain() | Log.Step() | _calls.Drain(); round++)
        {
            Assert.True(round < 100_000, "the broker never comes to rest");
        }
    }

    /// <summary>Moves the clock in small steps, as the loops of a node would see it.</summary>
    public void Advance(TimeSpan duration)
    {
        var step = TimeSpan.FromMilliseconds(Math.Max(10, duration.TotalMilliseconds / 200));
        while (duration > TimeSpan.Zero)
        {
            var next = duration < step ? duration : step;
            Time.Advance(next);
            duration -= next;
            Settle();
        }
    }

    /// <summary>Stops the process and starts it again over the same log and disk.</summary>
    public void Restart(bool graceful = true)
    {
        if (graceful)
        {
            Node.StateMachine.Stop();
        }

        Node.Dispose();
        Node = Open();
        RestoredAt = Log.Start(Node.StateMachine);
        Log.Lead();
    }

    /// <summary>The state of a second machine on its own disk that applies the same log from the beginning.</summary>
    public ulong ReplayedStateHash()
    {
        using var twin = new BrokerNode(
            _options, new SimulatedDisk(seed: 2), "", Time, NullLoggerFactory.Instance);
        Log.Replay(twin.StateMachine, twin.StateMachine.Restore(Log.RecoveredTo(LogPosition.Zero)), Log.End);
        return twin.Machine.StateHash;
    }

    /// <summary>The state as this broker's disk and the log give it at a position, without what came later.</summary>
    public ulong HashAt(LogPosition end)
    {
        using var twin = new BrokerNode(_options, Disk, "", Time, NullLoggerFactory.Instance);
        Log.Replay(twin.StateMachine, twin.StateMachine.Restore(Log.RecoveredTo(end)), end);
        return twin.Machine.StateHash;
    }

    public async Task<AppendedMessage> Send(string topic, string body, string? tag = null, string? group = null)
    {
        var outcome = await Run(broker => broker.AppendAsync(topic, [Draft(body, tag, group)], CancellationToken.None));
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        return Assert.Single(outcome.Messages);
    }

    /// <summary>Sends a message that is delivered some time from now.</summary>
    public async Task<AppendedMessage> SendDelayed(string topic, string body, TimeSpan delay, params string[] keys)
    {
        var draft = Draft(body) with
        {
            Type = MessageType.Delay,
            Keys = keys,
            DeliverAtMicroseconds = Time.NowMicroseconds + (long)delay.TotalMicroseconds,
        };
        var outcome = await Run(broker => broker.AppendAsync(topic, [draft], CancellationToken.None));
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        return Assert.Single(outcome.Messages);
    }

    public async Task<IReadOnlyList<DeliveredMessage>> Receive(
        string group,
        string topic,
        int batch = 32,
        double invisibleSeconds = 30,
        string filter = "*",
        string? attemptId = null)
    {
        var outcome = await Run(broker => broker.ReceiveAsync(
            Request(group, topic, batch, invisibleSeconds, filter, attemptId), CancellationToken.None));
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        return outcome.Messages;
    }

    /// <summary>Starts a long poll.</summary>
    public Task<ReceiveOutcome> Poll(
        string group,
        string topic,
        double longPollSeconds = 10,
        int batch = 1,
        string filter = "*",
        CancellationToken cancellationToken = default) =>
        Start(broker => broker.ReceiveAsync(
            Request(group, topic, batch, 30, filter, null) with { LongPoll = TimeSpan.FromSeconds(longPollSeconds) },
            cancellationToken));

    public async Task<BrokerFailure?> Ack(string group, string topic, DeliveredMessage message) =>
        await Ack(group, topic, message.ReceiptHandle);

    public async Task<BrokerFailure?> Ack(string group, string topic, string handle)
    {
        var outcomes = await Run(broker => broker.AckAsync(group, topic, [handle], CancellationToken.None));
        return Assert.Single(outcomes).Failure;
    }

    public async Task CreateTopic(string name, int queues = 1, MessageTypeSet? types = null)
    {
        var spec = new TopicSpec { Name = name, QueueCount = queues, AcceptedTypes = types ?? MessageTypeSet.Normal };
        Assert.Null(await Run(broker => broker.CreateTopicAsync(spec, CancellationToken.None)));
    }

    public async Task CreateGroup(GroupSpec spec) =>
        Assert.Null(await Run(broker => broker.CreateGroupAsync(spec, CancellationToken.None)));

    public static MessageDraft Draft(string body, string? tag = null, string? group = null) => new()
    {
        Body = Encoding.UTF8.GetBytes(body),
        MessageId = $"id-{body}",
        Tag = tag,
        MessageGroup = group,
        Type = group is null ? MessageType.Normal : MessageType.Fifo,
        BornTimeMicroseconds = 1_234_567,
        BornHost = "producer",
    };

    public static string Text(DeliveredMessage message) => Encoding.UTF8.GetString(message.Body.Span);

    public static ReceiveRequest Request(
        string group, string topic, int batch, double invisibleSeconds, string filter, string? attemptId)
    {
        var isValid = filter.StartsWith("SQL ", StringComparison.Ordinal)
            ? MessageFilter.TryParseSql(filter[4..], out var parsed, out var violation)
            : MessageFilter.TryParseTags(filter, out parsed, out violation);
        Assert.True(isValid, violation.Detail);
        return new ReceiveRequest
        {
            Group = group,
            Topic = topic,
            BatchSize = batch,
            InvisibleDuration = TimeSpan.FromSeconds(invisibleSeconds),
            Filter = parsed,
            ClientId = "client",
            AttemptId = attemptId,
        };
    }

    private BrokerNode Open()
    {
        var node = new BrokerNode(_options, Disk, "", Time, _loggers);
        node.Attach(Log);
        return node;
    }
}
