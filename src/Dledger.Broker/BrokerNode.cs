using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Letters;
using Dledger.Broker.Lites;
using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Broker.Offsets;
using Dledger.Broker.Parking;
using Dledger.Broker.Receipts;
using Dledger.Broker.Receiving;
using Dledger.Broker.Replays;
using Dledger.Broker.Routes;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Streaming;
using Dledger.Broker.Surveys;
using Dledger.Broker.Timers;
using Dledger.Broker.Topics;
using Dledger.Broker.Traces;
using Dledger.Broker.Transactions;
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

    /// <summary>Compiled SQL filters.</summary>
    public FilterCache Filters { get; } = new();

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

    /// <summary>
    /// From now on the messages of a topic that a filter wants also stand in a queue of another one. A trial changes nothing. An empty
    /// name stands for that of the target.
    /// </summary>
    public ValueTask<(RouteSpec? Route, BrokerFailure? Failure)> AddRouteAsync(
        RouteSpec route, bool isTrial, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Routes.AddAsync(route, isTrial, cancellationToken) : new((null, NotStarted));

    /// <summary>Ends a route. What it brought stays where it is; a trial changes nothing.</summary>
    public ValueTask<BrokerFailure?> RemoveRouteAsync(
        string source, string name, bool isTrial, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Routes.RemoveAsync(source, name, isTrial, cancellationToken) : new(NotStarted);

    /// <summary>The routes of a topic, or of all when it is null.</summary>
    public ValueTask<(IReadOnlyList<RouteSpec> Routes, BrokerFailure? Failure)> ListRoutesAsync(
        string? source, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Routes.ListAsync(source, cancellationToken) : new(([], NotStarted));

    /// <summary>Deletes a topic and the progress of all groups in it; refused while a route leads to it.</summary>
    public ValueTask<BrokerFailure?> DeleteTopicAsync(string name, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Topics.DeleteAsync(name, cancellationToken) : new(NotStarted);

    public ValueTask<BrokerFailure?> CreateGroupAsync(GroupSpec spec, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Groups.CreateAsync(spec, cancellationToken) : new(NotStarted);

    /// <summary>Changes settings of an existing group; its order mode and its start are fixed.</summary>
    public ValueTask<BrokerFailure?> UpdateGroupAsync(GroupChange change, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Groups.UpdateAsync(change, cancellationToken) : new(NotStarted);

    /// <summary>
    /// Gives a group nothing from now on, for a while or, with zero, until somebody resumes it; what it has in flight it may finish. A group
    /// that is paused already gets the new reason and end.
    /// </summary>
    public ValueTask<BrokerFailure?> PauseGroupAsync(
        string name, string reason, TimeSpan duration, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Groups.PauseAsync(name, reason, duration, cancellationToken) : new(NotStarted);

    /// <summary>Ends a group's pause. Null on success, also when it was not paused.</summary>
    public ValueTask<BrokerFailure?> ResumeGroupAsync(string name, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Groups.ResumeAsync(name, cancellationToken) : new(NotStarted);

    /// <summary>Messages of a group that wait for an operator, not older than the call. The leader only.</summary>
    public ValueTask<(ParkedList? List, BrokerFailure? Failure)> ListParkedAsync(
        ParkingSelection selection, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Parking.ListAsync(selection, cancellationToken) : new((null, NotStarted));

    /// <summary>
    /// Hands parked messages out again, in order and as if they had never been delivered, before what follows them. How many they were.
    /// </summary>
    public ValueTask<(int Count, BrokerFailure? Failure)> ReleaseParkedAsync(
        ParkingSelection selection, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Parking.EndAsync(selection, drops: false, cancellationToken) : new((0, NotStarted));

    /// <summary>Moves parked messages to the dead letter topic; their message groups go on. How many they were.</summary>
    public ValueTask<(int Count, BrokerFailure? Failure)> DropParkedAsync(
        ParkingSelection selection, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Parking.EndAsync(selection, drops: true, cancellationToken) : new((0, NotStarted));

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
        AppendAsync(topic, drafts, sequence, "", cancellationToken);

    /// <summary>The same for a client whose quota it counts towards; an empty id has none.</summary>
    public ValueTask<AppendOutcome> AppendAsync(
        string topic,
        IReadOnlyList<MessageDraft> drafts,
        ProducerSequence? sequence,
        string clientId,
        CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Producing.AppendAsync(topic, drafts, sequence, clientId, cancellationToken)
            : new(AppendOutcome.Of(NotStarted));

    /// <summary>
    /// Appends a batch of records that a client encoded for the topic, which has to exist. Records of one call are stored together, and
    /// calls that follow each other without waiting in their order.
    /// </summary>
    public ValueTask<BatchOutcome> AppendAsync(
        string topic, ReadOnlyMemory<byte> records, int count, string clientId, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Producing.AppendAsync(topic, records, count, clientId, cancellationToken)
            : new(BatchOutcome.Of(NotStarted));

    /// <summary>
    /// The same of records that the client compressed as a whole. They are kept and delivered so, as far as nothing of them has to be changed.
    /// </summary>
    public ValueTask<BatchOutcome> AppendAsync(
        string topic, CompressedBatch batch, int count, string clientId, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Producing.AppendAsync(topic, batch, count, clientId, cancellationToken)
            : new(BatchOutcome.Of(NotStarted));

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

    /// <summary>
    /// Changes which lite topics of a parent a client is given messages of. A receive of the client that waits looks at them at once.
    /// The leader only.
    /// </summary>
    public ValueTask<BrokerFailure?> SyncLiteAsync(LiteSync sync, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Lites.SyncAsync(sync, cancellationToken) : new(NotStarted);

    /// <summary>The queue of a lite topic at the newest applied position; null when there is none of the name.</summary>
    public int? FindLiteQueue(string topic, string lite) => _machine.Topics.Find(topic)?.Lites?.FindQueue(lite);

    /// <summary>
    /// Living clients of a group that have a lite topic in their sets, as this leader heard of them; empty when the group or topic is unknown.
    /// </summary>
    public IReadOnlyList<string> FindLiteClients(string group, string topic, string lite) =>
        _calls?.Lites.FindClients(group, topic, lite) ?? [];

    /// <summary>At most so many lite topics of a parent, by name, behind a name ("" for the first). The leader only.</summary>
    public ValueTask<LitePage> ListLitesAsync(string topic, string after, int countMax, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Lites.ListAsync(topic, after, countMax, cancellationToken)
            : new(new LitePage(NotStarted, [], false));

    /// <summary>Ends a lite topic with all that it holds, whoever reads it.</summary>
    public ValueTask<BrokerFailure?> DeleteLiteAsync(string topic, string name, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Lites.DeleteAsync(topic, name, cancellationToken) : new(NotStarted);

    /// <summary>
    /// Has somebody told of lite topics that an operator deleted (parent, names): on every node, on its apply loop.
    /// </summary>
    public void TellLitesEnded(Action<string, IReadOnlyList<string>> hear) => _machine.LitesEnded = hear;

    /// <summary>Finishes messages for the group. One outcome per handle, in order.</summary>
    public ValueTask<IReadOnlyList<AckOutcome>> AckAsync(
        string group, string topic, IReadOnlyList<string> receiptHandles, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Receipts.AckAsync(group, topic, receiptHandles, cancellationToken)
            : new(ReceiptService.All(receiptHandles.Count, NotStarted));

    /// <summary>
    /// Settles messages that a stream delivered. Null when all are; else the failure of the first that is not, while the others are.
    /// </summary>
    public ValueTask<BrokerFailure?> SettleAsync(SettleRequest request, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Settling.SettleAsync(request, cancellationToken) : new(NotStarted);

    /// <summary>
    /// Makes a leased message visible again after <paramref name="duration"/> from now, at once when it is zero. With
    /// <paramref name="suspend"/> the coming redelivery does not count as another attempt. With <paramref name="raisesToBackoff"/> a push
    /// consumer's duration that is far below the group's back-off becomes it: for the library that asks for a thousandth of what it means.
    /// </summary>
    public ValueTask<ChangeInvisibleOutcome> ChangeInvisibleAsync(
        string group,
        string topic,
        string receiptHandle,
        TimeSpan duration,
        bool suspend,
        CancellationToken cancellationToken,
        bool raisesToBackoff = false) =>
        _calls is { } calls
            ? calls.Receipts.ChangeInvisibleAsync(
                group, topic, receiptHandle, duration, suspend, raisesToBackoff, cancellationToken)
            : new(new ChangeInvisibleOutcome(NotStarted, receiptHandle));

    /// <summary>
    /// Copies a leased message to the group's dead letter topic and finishes it; in a group that blocks or parks poison messages that is done
    /// with it instead. Null on success, also on a repeat.
    /// </summary>
    public ValueTask<BrokerFailure?> ForwardToDeadLetterAsync(
        string group, string topic, string receiptHandle, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.DeadLetters.ForwardAsync(group, topic, receiptHandle, cancellationToken)
            : new(NotStarted);

    /// <summary>Messages by id or business key. The leader only.</summary>
    public ValueTask<LookupOutcome> FindMessagesAsync(KeyQuery query, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Lookups.FindAsync(query, cancellationToken) : new(LookupOutcome.Of(NotStarted));

    /// <summary>Messages of a queue from an offset on, without a group. The leader only.</summary>
    public ValueTask<LookupOutcome> ReadMessagesAsync(
        MessagePlace place, int countMax, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Lookups.ReadAsync(place, countMax, cancellationToken)
            : new(LookupOutcome.Of(NotStarted));

    /// <summary>The offset of a queue's first message stored at or after a time. The leader only.</summary>
    public ValueTask<(QueueOffset Offset, BrokerFailure? Failure)> FindOffsetAsync(
        string topic, int queueId, long microseconds, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Lookups.FindOffsetAsync(topic, queueId, microseconds, cancellationToken)
            : new((default, NotStarted));

    /// <summary>Who reads what, of one group, of one topic or of both. The leader only.</summary>
    public ValueTask<(IReadOnlyList<GroupSubscription> Subscriptions, BrokerFailure? Failure)> ListSubscriptionsAsync(
        string? group, string? topic, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Surveys.ListSubscriptionsAsync(group, topic, cancellationToken) : new(([], NotStarted));

    /// <summary>Store times of what a group reads; of all its topics when none is named. The leader only.</summary>
    public ValueTask<(IReadOnlyList<QueueTimes> Queues, BrokerFailure? Failure)> ReadQueueTimesAsync(
        string group, IReadOnlyList<string> topics, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Surveys.ReadTimesAsync(group, topics, cancellationToken) : new(([], NotStarted));

    /// <summary>
    /// The offsets of what was stored from a time on up to and without another, in each queue of a topic or in one. The leader only.
    /// </summary>
    public ValueTask<(IReadOnlyList<OffsetRange> Ranges, BrokerFailure? Failure)> FindRangesAsync(
        string topic, int? queueId, long fromMicroseconds, long toMicroseconds, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Surveys.FindRangesAsync(topic, queueId, fromMicroseconds, toMicroseconds, cancellationToken)
            : new(([], NotStarted));

    /// <summary>Why a message was delivered to the groups, or not. The leader only.</summary>
    public ValueTask<MessageTrace> ExplainMessageAsync(TraceQuery query, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Traces.ExplainAsync(query, cancellationToken) : new(MessageTrace.Of(NotStarted));

    /// <summary>Dead letters per group and origin topic; of all groups when none is named. The leader only.</summary>
    public ValueTask<(IReadOnlyList<LetterSummary> Letters, BrokerFailure? Failure)> ListDeadLettersAsync(
        string? group, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Letters.ListAsync(group, cancellationToken) : new(([], NotStarted));

    /// <summary>A page of a group's dead letters. The leader only.</summary>
    public ValueTask<LetterPage> ReadDeadLettersAsync(
        string group, LetterPlace from, int countMax, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Letters.ReadAsync(group, from, countMax, cancellationToken)
            : new(LetterPage.Of(NotStarted));

    /// <summary>Sends dead letters again, each once; one outcome per letter.</summary>
    public ValueTask<(IReadOnlyList<BrokerFailure?> Outcomes, BrokerFailure? Failure)> ResendDeadLettersAsync(
        string group, IReadOnlyList<LetterPlace> letters, LetterResend resend, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Letters.ResendAsync(group, letters, resend, cancellationToken) : new(([], NotStarted));

    /// <summary>Sends dead letters to their origin topics again, each once; one outcome per letter.</summary>
    public ValueTask<(IReadOnlyList<BrokerFailure?> Outcomes, BrokerFailure? Failure)> ResendDeadLettersAsync(
        string group, IReadOnlyList<LetterPlace> letters, CancellationToken cancellationToken) =>
        ResendDeadLettersAsync(group, letters, default, cancellationToken);

    /// <summary>Forgets a group's dead letters; the number of them.</summary>
    public ValueTask<(long Count, BrokerFailure? Failure)> PurgeDeadLettersAsync(
        string group, bool isDryRun, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Letters.PurgeAsync(group, isDryRun, cancellationToken) : new((0, NotStarted));

    /// <summary>Takes back a delayed message that still waits, by the handle that its sender got.</summary>
    public ValueTask<RecallOutcome> RecallAsync(string topic, string handle, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Timers.RecallAsync(topic, handle, cancellationToken)
            : new(RecallOutcome.Of(NotStarted));

    /// <summary>Delayed messages of a topic that still wait, in the order of their delivery; 1 to 1000 at a time.</summary>
    public ValueTask<PendingPage> ListPendingAsync(
        PendingSelection selection, int countMax, string? page, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Timers.ListAsync(selection, countMax, page, cancellationToken)
            : new(PendingPage.Of(NotStarted));

    /// <summary>Takes back what <see cref="ListPendingAsync"/> would find.</summary>
    public ValueTask<PendingPage> CancelPendingAsync(
        PendingSelection selection, int countMax, string? page, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Timers.CancelAsync(selection, countMax, page, cancellationToken)
            : new(PendingPage.Of(NotStarted));

    /// <summary>Gives what <see cref="ListPendingAsync"/> would find another delivery time, microseconds since 1970 (UTC).</summary>
    public ValueTask<PendingPage> MovePendingAsync(
        PendingSelection selection,
        long deliverAtMicroseconds,
        int countMax,
        string? page,
        CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Timers.MoveAsync(selection, deliverAtMicroseconds, countMax, page, cancellationToken)
            : new(PendingPage.Of(NotStarted));

    /// <summary>
    /// Has finished messages of a selection delivered to a group again, or says what that would do. One call goes on for a bounded time
    /// and says where to continue.
    /// </summary>
    public ValueTask<ReplayOutcome> ReplayAsync(ReplayRequest request, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Replays.ReplayAsync(request, cancellationToken) : new(ReplayOutcome.Of(NotStarted));

    /// <summary>
    /// Moves a group to another place in a topic while it goes on consuming, or says what that would do. The leader only.
    /// </summary>
    public ValueTask<SeekOutcome> SeekAsync(SeekRequest request, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Offsets.SeekAsync(request, cancellationToken) : new(SeekOutcome.Of(NotStarted));

    /// <summary>Where a group reads on in a queue. The leader only.</summary>
    public ValueTask<OffsetAnswer> GetOffsetAsync(
        string group, string topic, int queueId, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Offsets.GetAsync(group, topic, queueId, cancellationToken)
            : new(new OffsetAnswer(NotStarted, 0));

    /// <summary>Says where a group reads on in a queue: everything before is finished. The leader only.</summary>
    public ValueTask<BrokerFailure?> UpdateOffsetAsync(
        string group, string topic, int queueId, long offset, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Offsets.UpdateAsync(group, topic, queueId, offset, cancellationToken)
            : new(NotStarted);

    /// <summary>A place of a queue (its begin, its end, a time) as an offset. The leader only.</summary>
    public ValueTask<OffsetAnswer> QueryOffsetAsync(
        string topic, int queueId, SeekTarget place, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Offsets.QueryAsync(topic, queueId, place, cancellationToken)
            : new(new OffsetAnswer(NotStarted, 0));

    /// <summary>Records of a queue from an offset on, as the log holds them. The leader only.</summary>
    public ValueTask<SliceOutcome> ReadAsync(PullRequest request, RecordSlice slice, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Pulling.ReadAsync(request, slice, cancellationToken) : new(SliceOutcome.Of(NotStarted));

    /// <summary>
    /// Reads a queue from an offset on, without lease or progress; at its end it waits for a message up to the long poll time.
    /// </summary>
    public ValueTask<PullOutcome> PullAsync(PullRequest request, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Pulling.PullAsync(request, cancellationToken) : new(PullOutcome.Of(NotStarted));

    /// <summary>
    /// Ends transactions that sends began: the messages of all become visible together, or are all discarded. Null on success, also on
    /// a repeat, and for an unknown resolution, which leaves them open.
    /// </summary>
    public ValueTask<BrokerFailure?> EndTransactionsAsync(
        IReadOnlyList<string> transactionIds,
        TransactionResolution resolution,
        TransactionDecider decider,
        CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.Transactions.EndAsync(transactionIds, resolution, decider, cancellationToken)
            : new(NotStarted);

    /// <summary>What <see cref="EndTransactionsAsync"/> would answer, without doing it. The leader only.</summary>
    public ValueTask<BrokerFailure?> CheckEndTransactionsAsync(
        IReadOnlyList<string> transactionIds, TransactionResolution resolution, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.Transactions.CheckEndAsync(transactionIds, resolution, cancellationToken) : new(NotStarted);

    /// <summary>Has this checker ask producers while this node leads; once, before <see cref="Attach"/>.</summary>
    public void CheckTransactionsWith(ITransactionChecker checker) => _machine.Checker = checker;

    /// <summary>The message to ask about; null when it was decided meanwhile, or cannot be read now.</summary>
    public ValueTask<UndecidedMessage?> ReadUndecidedAsync(TransactionQuestion question, CancellationToken cancellationToken) =>
        _calls is { } calls ? calls.TransactionReads.ReadUndecidedAsync(question, cancellationToken) : new((UndecidedMessage?)null);

    /// <summary>Open and discarded transactions, the oldest first. The leader only.</summary>
    public ValueTask<(IReadOnlyList<TransactionView> Transactions, BrokerFailure? Failure)> ListTransactionsAsync(
        TransactionSelection selection, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.TransactionReads.ListAsync(selection, cancellationToken)
            : new(([], NotStarted));

    /// <summary>One transaction with its messages, as far as the log has them. The leader only.</summary>
    public ValueTask<(TransactionContent? Content, BrokerFailure? Failure)> ShowTransactionAsync(
        string transactionId, CancellationToken cancellationToken) =>
        _calls is { } calls
            ? calls.TransactionReads.ShowAsync(transactionId, cancellationToken)
            : new((null, NotStarted));

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
