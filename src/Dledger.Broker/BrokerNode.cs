using Dledger.Broker.Groups;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Messages;
using Dledger.Broker.Receipts;
using Dledger.Broker.Receiving;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker;

/// <summary>One Raft group's broker as front ends see it.</summary>
/// <remarks>
/// Safe for any thread. Expected refusals are values. Cancelling a call stops the waiting, not what was already
/// proposed.
/// Life: construct; give <see cref="StateMachine"/> to the replicated log; <see cref="Attach"/>; use; dispose after the
/// log.
/// </remarks>
public sealed class BrokerNode : IDisposable
{
    private readonly BrokerStateMachine _machine;
    private readonly PollTimer _polls;
    private readonly BrokerOptions _options;
    private readonly ILogger _logger;
    private volatile BrokerCalls? _calls;

    /// <summary>A broker that keeps its files in <paramref name="directory"/> of the disk, beside the log.</summary>
    public BrokerNode(
        BrokerOptions options, IDisk disk, string directory, TimeProvider time, ILoggerFactory loggers)
    {
        var problems = options.Validate();
        if (problems.Count > 0)
        {
            throw new ArgumentException(string.Join("; ", problems), nameof(options));
        }

        _options = options;
        _logger = loggers.CreateLogger("Dledger.Broker");
        _machine = new BrokerStateMachine(options, disk, directory, time, _logger);
        _polls = new PollTimer(time);
    }

    /// <summary>What the replicated log drives.</summary>
    public IStateMachine StateMachine => _machine;

    /// <summary>Where the node stands in the cluster.</summary>
    public BrokerStatus Status
    {
        get
        {
            var status = _calls?.Log.Status;
            return status is null
                ? new BrokerStatus(NodeId.None, NodeId.None, false)
                : new BrokerStatus(status.Self, status.Leader, status.IsServing);
        }
    }

    /// <summary>
    /// Completes when <see cref="Status"/> may have changed. To be taken before that is looked at. Never completes before
    /// <see cref="Attach"/>.
    /// </summary>
    public Task LeadershipMoved => _calls?.Log.LeadershipMoved ?? Task.Delay(Timeout.Infinite);

    /// <summary>All topics by name; an immutable snapshot of applied state, on any node.</summary>
    public IReadOnlyCollection<TopicView> Topics => _machine.Topics.All;

    /// <summary>All consumer groups by name; an immutable snapshot of applied state, on any node.</summary>
    public IReadOnlyCollection<GroupView> Groups => _machine.Groups.All;

    internal BrokerStateMachine Machine => _machine;

    internal PollTimer Polls => _polls;

    /// <summary>
    /// Gives the broker its log; once. Before it every call answers <see cref="BrokerError.Unavailable"/>.
    /// </summary>
    public void Attach(IReplicatedLog log)
    {
        _machine.Attach(log);
        _calls = new BrokerCalls(_machine, log, _options, _polls, _logger);
    }

    public TopicView? FindTopic(string name) => _machine.Topics.Find(name);

    public GroupView? FindGroup(string name) => _machine.Groups.Find(name);

    /// <summary>
    /// The topic, created first where <see cref="BrokerOptions.AutoCreateTopics"/> allows it. For sends and route
    /// queries.
    /// </summary>
    public ValueTask<(TopicView? Topic, BrokerFailure? Failure)> FindOrCreateTopicAsync(
        string name, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Topics.FindOrCreateAsync(name, cancellationToken)
            : new((null, NotStarted));

    /// <summary>
    /// The group, created first where <see cref="BrokerOptions.AutoCreateGroups"/> allows it. For settings and
    /// receives.
    /// </summary>
    public ValueTask<(GroupView? Group, BrokerFailure? Failure)> FindOrCreateGroupAsync(
        string name, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Groups.FindOrCreateAsync(name, cancellationToken)
            : new((null, NotStarted));

    public ValueTask<BrokerFailure?> CreateTopicAsync(TopicSpec spec, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Topics.CreateAsync(spec, cancellationToken) : new(NotStarted);

    /// <summary>Changes an existing topic: its queue count may grow, its accepted types and its retention may change.</summary>
    public ValueTask<BrokerFailure?> UpdateTopicAsync(TopicChange change, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Topics.UpdateAsync(change, cancellationToken) : new(NotStarted);

    /// <summary>Deletes a topic and the progress of all groups in it.</summary>
    public ValueTask<BrokerFailure?> DeleteTopicAsync(string name, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Topics.DeleteAsync(name, cancellationToken) : new(NotStarted);

    public ValueTask<BrokerFailure?> CreateGroupAsync(GroupSpec spec, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Groups.CreateAsync(spec, cancellationToken) : new(NotStarted);

    /// <summary>Changes settings of an existing group; its order mode and its start are fixed.</summary>
    public ValueTask<BrokerFailure?> UpdateGroupAsync(GroupChange change, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Groups.UpdateAsync(change, cancellationToken) : new(NotStarted);

    /// <summary>Deletes a group with its progress.</summary>
    public ValueTask<BrokerFailure?> DeleteGroupAsync(string name, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Groups.DeleteAsync(name, cancellationToken) : new(NotStarted);

    /// <summary>
    /// The topic and the ends of its queues: behind every message that was acknowledged before the call. The leader only.
    /// </summary>
    public ValueTask<(TopicDescription? Topic, BrokerFailure? Failure)> DescribeTopicAsync(
        string name, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Topics.DescribeAsync(name, cancellationToken) : new((null, NotStarted));

    /// <summary>The group and its progress, not older than the call. The leader only.</summary>
    public ValueTask<(GroupDescription? Group, BrokerFailure? Failure)> DescribeGroupAsync(
        string name, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Groups.DescribeAsync(name, cancellationToken) : new((null, NotStarted));

    /// <summary>Appends the drafts, in order, to one queue of the topic; see <see cref="AppendOutcome"/>.</summary>
    public ValueTask<AppendOutcome> AppendAsync(
        string topic, IReadOnlyList<MessageDraft> drafts, CancellationToken cancellationToken) =>
        AppendAsync(topic, drafts, null, cancellationToken);

    /// <summary>The same for messages that their producer numbers: a repeat of a number is stored no second time.</summary>
    public ValueTask<AppendOutcome> AppendAsync(
        string topic, IReadOnlyList<MessageDraft> drafts, ProducerSequence? sequence, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Producing.AppendAsync(topic, drafts, sequence, cancellationToken)
            : new(AppendOutcome.Of(NotStarted));

    /// <summary>
    /// Makes a producer that numbers its messages. With the name of a known one it gets that one's id and the next epoch; whoever
    /// had the epoch before is refused from then on. Without a name it is a new one.
    /// </summary>
    public ValueTask<InitProducerOutcome> InitProducerAsync(string name, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Producers.InitAsync(name, cancellationToken) : new(new InitProducerOutcome(NotStarted));

    /// <summary>The producers that number their messages, unused for longest first. The leader only.</summary>
    public ValueTask<(IReadOnlyList<ProducerDescription>? Producers, BrokerFailure? Failure)> ListProducersAsync(
        CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Producers.ListAsync(cancellationToken) : new((null, NotStarted));

    /// <summary>
    /// Leases up to the batch size from the topic's queues; without messages it waits for the first one up to the long
    /// poll
    /// time. A call cancelled while it waits has leased nothing; one cancelled later gives its messages back at once.
    /// </summary>
    public ValueTask<ReceiveOutcome> ReceiveAsync(ReceiveRequest request, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Receiving.ReceiveAsync(request, cancellationToken)
            : new(ReceiveOutcome.Of(NotStarted));

    /// <summary>Finishes messages for the group. One outcome per handle, in order.</summary>
    public ValueTask<IReadOnlyList<AckOutcome>> AckAsync(
        string group, string topic, IReadOnlyList<string> receiptHandles, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Receipts.AckAsync(group, topic, receiptHandles, cancellationToken)
            : new(ReceiptService.All(receiptHandles.Count, NotStarted));

    /// <summary>
    /// Makes a leased message visible again after <paramref name="duration"/> from now, at once when it is zero. With
    /// <paramref name="suspend"/> the coming redelivery does not count as another attempt.
    /// </summary>
    public ValueTask<ChangeInvisibleOutcome> ChangeInvisibleAsync(
        string group,
        string topic,
        string receiptHandle,
        TimeSpan duration,
        bool suspend,
        CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Receipts.ChangeInvisibleAsync(group, topic, receiptHandle, duration, suspend, cancellationToken)
            : new(new ChangeInvisibleOutcome(NotStarted, receiptHandle));

    /// <summary>
    /// Copies a leased message to the group's dead letter topic and finishes it. Null on success, also on a repeat.
    /// </summary>
    public ValueTask<BrokerFailure?> ForwardToDeadLetterAsync(
        string group, string topic, string receiptHandle, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.DeadLetters.ForwardAsync(group, topic, receiptHandle, cancellationToken)
            : new(NotStarted);

    /// <summary>
    /// Notes a sign of life of a client; its auto-renewed messages stay invisible. For heartbeats; receives count by
    /// themselves. The group is not used yet.
    /// </summary>
    public void ClientSeen(string clientId, string? group) => _machine.Clients.Seen(clientId);

    /// <summary>Notes that a client said goodbye; its auto-renewed messages return when their lease ends.</summary>
    public void ClientTerminated(string clientId) => _machine.Clients.Terminated(clientId);

    /// <inheritdoc/>
    public void Dispose() => _polls.Dispose();

    private static BrokerFailure NotStarted => new(BrokerError.Unavailable, "this node has not started yet");
}
