using Dledger.Broker.Broadcasting;
using Dledger.Broker.Commands;
using Dledger.Broker.DeadLetters;
using Dledger.Broker.Lites;
using Dledger.Broker.Messages;
using Dledger.Broker.Offsets;
using Dledger.Broker.Proposals;
using Dledger.Broker.Quotas;
using Dledger.Broker.Receiving;
using Dledger.Broker.Retention;
using Dledger.Broker.Timers;
using Dledger.Broker.Transactions;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.StateMachine;

/// <summary>
/// What the serving leader does beside applying: parked receives, renewals, ticks, owed dead letters. Volatile, owned
/// by the
/// apply loop; it reads the state and ends in proposals, it never changes the state.
/// </summary>
internal sealed class LeaderDuties
{
    private const int RenewalsPerRecord = 1_000;

    private readonly BrokerState _state;
    private readonly ClientRegistry _clients;
    private readonly Func<IReplicatedLog?> _log;
    private readonly LeaderInbox _inbox;
    private readonly Action<IReadOnlyList<HalfTransaction>> _ask;
    private readonly RenewalSchedule _renewals = new();
    private readonly DeadLetterForwarder _forwarder;
    private readonly CheckDuty _checks;
    private readonly DiscardForwarder _discards;
    private readonly BrokerOptions _options;
    private readonly QuotaClock _quotaClock;
    private volatile ProduceQuotas _produceQuotas;
    private readonly BroadcastDuty _broadcast;
    private readonly LiteDuty _lites;
    private readonly Action<int, IReadOnlyList<string>> _litesEnded;
    private bool _tickInFlight;

    /// <param name="state">What is applied.</param>
    /// <param name="surroundings">Options, disk and directory of the node.</param>
    /// <param name="clients">Signs of life.</param>
    /// <param name="log">Null before the node is attached.</param>
    /// <param name="checkpoint">Up to where the state is on disk.</param>
    /// <param name="lites">Who asks for which lite topics.</param>
    /// <param name="litesEnded">Hears of lite topics that an operator deleted, on every node.</param>
    /// <param name="ask">Has the producers of transactions asked.</param>
    /// <param name="logger">Where the log lines go.</param>
    public LeaderDuties(
        BrokerState state,
        BrokerSurroundings surroundings,
        ClientRegistry clients,
        Func<IReplicatedLog?> log,
        Func<LogPosition> checkpoint,
        LiteSets lites,
        Action<int, IReadOnlyList<string>> litesEnded,
        Action<IReadOnlyList<HalfTransaction>> ask,
        ILogger logger)
    {
        var options = surroundings.Options;
        _options = options;
        _quotaClock = new QuotaClock(surroundings.Time);
        _produceQuotas = MakeProduceQuotas();
        _state = state;
        _clients = clients;
        _log = log;
        _ask = ask;
        _inbox = new LeaderInbox(() => _log()?.TryPost(WakeRequest.Instance));
        Receivers = new ReceiverTable(state.Topics, state.Groups, options, _quotaClock, _inbox, Propose, clients.IsGone);
        Pulls = new PullTable(state.Topics, state.Groups, options, () => Receivers.Quotas);
        _lites = new LiteDuty(state, lites, _inbox, Propose);
        _litesEnded = litesEnded;
        var records = new RecordReader(log);
        _forwarder = new DeadLetterForwarder(
            state.Topics, state.Groups, state.Leases, _inbox, records, Propose, logger);
        _checks = new CheckDuty(state.Transactions, _inbox, Propose);
        _discards = new DiscardForwarder(
            state.Topics, state.Transactions, _inbox, records, Propose, logger);
        _broadcast = new BroadcastDuty(state.Groups, clients, _inbox, Propose);
        Timers = new TimerDuty(
            state, _inbox, records, Propose, MakeClock(surroundings), options.TimerBatchBytesMax, logger);
        Retention = new RetentionDuty(
            options, surroundings.Disk, state, log, checkpoint, _inbox, Propose, Timers, logger);
    }

    /// <summary>Whether this node leads and may promise anything.</summary>
    public bool IsServing { get; private set; }

    public ReceiverTable Receivers { get; }

    /// <summary>What may be sent; any thread. Others with full buckets with every beginning to serve.</summary>
    public ProduceQuotas ProduceQuotas => _produceQuotas;

    /// <summary>Delayed messages.</summary>
    public TimerDuty Timers { get; }

    /// <summary>Readers by offset.</summary>
    public PullTable Pulls { get; }

    /// <summary>Old messages and a full disk.</summary>
    public RetentionDuty Retention { get; }

    /// <summary>Log time at which <see cref="Due"/> has something to do.</summary>
    public long NextDueLogTime
    {
        get
        {
            if (!IsServing)
            {
                return long.MaxValue;
            }

            var due = Math.Min(_renewals.NextAt, _tickInFlight ? long.MaxValue : NextTickAt);
            due = Math.Min(due, Math.Min(Retention.NextAt, _forwarder.RetryAt));
            due = Math.Min(due, Math.Min(Math.Min(_checks.NextAt, _discards.RetryAt), Timers.NextAt));
            due = Math.Min(due, NextHeldAt);
            due = Math.Min(due, _broadcast.NextAt);
            due = Math.Min(due, _lites.NextAt);
            return _forwarder.MustRetry || _discards.MustRetry ? Math.Min(due, _state.LogTime) : due;
        }
    }

    // What ends by log time: leases and pauses.
    private long NextTickAt => Math.Min(_state.Leases.NextDeadline, _state.Groups.NextPauseEnd);

    // What ends by the monotonic clock, as a log time.
    private long NextHeldAt => Receivers.Quotas.NextAt == long.MaxValue || _log() is not { } log
        ? long.MaxValue
        : log.LogTimeNow + Math.Max(0, Receivers.Quotas.NextAt - _quotaClock.Now);

    /// <summary>Takes in what ended on other threads; the first thing of every call.</summary>
    public void Begin() => _inbox.Drain();

    /// <summary>This node began or ceased to serve, or learned of another leader.</summary>
    public void Change(bool isServing, BrokerFailure farewell)
    {
        if (IsServing && !isServing)
        {
            Receivers.Clear(farewell);
            Pulls.Clear(farewell);
            _renewals.Clear();
            _forwarder.Clear();
            _discards.Clear();
        }

        if (isServing && !IsServing)
        {
            _clients.BeginToServe();
            _produceQuotas = MakeProduceQuotas();
        }

        Retention.Reset();
        _checks.Reset();
        _broadcast.Reset();
        Timers.Reset();
        _lites.Reset();
        IsServing = isServing;
        _tickInFlight = false;
    }

    /// <summary>Time-driven work: makes log time advance when leases end, and renews those of living clients.</summary>
    public void Due(long logTimeNow)
    {
        if (!IsServing)
        {
            return;
        }

        if (NextTickAt <= logTimeNow && !_tickInFlight)
        {
            _tickInFlight = true;
            var tick = new LeaderProposal(
                ControlRecord.Encode(RecordKind.Tick, []), _inbox, (_, _) => _tickInFlight = false);
            _tickInFlight = Propose(tick) is null;
        }

        _forwarder.RetryUnreadable(logTimeNow);
        _discards.RetryUnreadable(logTimeNow);
        _checks.Work(logTimeNow);
        _broadcast.Work(logTimeNow);
        if (_renewals.NextAt <= logTimeNow)
        {
            Renew(logTimeNow);
        }

        if (Receivers.QuotasDue())
        {
            Pulls.QuotasDue();
        }

        Timers.Due(logTimeNow);
        _lites.Work(logTimeNow);
        Retention.Work(logTimeNow);
    }

    /// <summary>The last thing of every call: serves whom the changes of the state concern.</summary>
    public void End()
    {
        if (IsServing)
        {
            foreach (var subscription in _state.Leases.Touched)
            {
                Receivers.Touched(subscription);
            }
        }

        _state.Leases.Touched.Clear();
        if (IsServing)
        {
            Receivers.FrameApplied();
            Pulls.FrameApplied();
            _forwarder.Work(_state.LogTime);
            _discards.Work(_state.LogTime);
            Timers.Work(_state.LogTime);
        }
    }

    /// <summary>A queue gained a message.</summary>
    public void MessageAppended(int topicId, int queueId)
    {
        Receivers.MessageAppended(topicId);
        Pulls.MessageAppended(topicId, queueId);
    }

    /// <summary>An operator deleted lite topics.</summary>
    public void LitesEnded(int topicId, IReadOnlyList<string> names) => _litesEnded(topicId, names);

    /// <summary>Has the parked receives of a group on a topic looked at again; any thread.</summary>
    public void WakeReceivers(int topicId, int groupId) => _inbox.Add(() => Receivers.Wake(topicId, groupId));

    /// <summary>Keeps an eye on a lease that this leader granted or renewed.</summary>
    public void Watch(Groups.Lease lease)
    {
        if (IsServing && lease.AutoRenew)
        {
            _renewals.Add(lease);
        }
    }

    /// <summary>Has the producers asked about transactions, when it was this node that wanted to.</summary>
    public void AskProducers(IReadOnlyList<HalfTransaction> asked, bool isOwn)
    {
        if (IsServing && isOwn && asked.Count > 0)
        {
            _ask(asked);
        }
    }

    private void Renew(long logTimeNow)
    {
        var due = _renewals.TakeDue(logTimeNow, RenewalsPerRecord, _clients.IsAlive);
        if (due.Count == 0)
        {
            return;
        }

        var command = ChangeInvisibleCommand.OfRenewal(
            [.. due.Select(lease => lease.DeliveryId)], RenewalSchedule.Term, RenewalSchedule.LifeMax);
        var record = ControlRecord.Encode(RecordKind.ChangeInvisible, command.Encode());
        if (Propose(new LeaderProposal(record, _inbox, (_, applied) => Ended(applied))) is not null)
        {
            Ended(applied: false);
        }

        void Ended(bool applied)
        {
            // Applied ones stand on the schedule again with their new end; the others are looked at again at once.
            foreach (var lease in due.Where(lease => !applied && lease.HeapIndex >= 0))
            {
                Watch(lease);
            }
        }
    }

    private ProposalFailure? Propose(Proposal proposal)
    {
        if (_log() is not { } log)
        {
            return new ProposalFailure(ProposalFailureKind.Unavailable, NodeId.None, "this node has not started yet");
        }

        return log.TryPropose(proposal, out var failure) ? null : failure;
    }

    private ProduceQuotas MakeProduceQuotas() => new(_options.ClientQuota, _quotaClock, _options.Defect);

    private static Func<long, long> MakeClock(BrokerSurroundings around) =>
        around.Options.Defect == SeededDefect.TimerFiredByWallClock
            ? _ => (around.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond
            : static logTime => logTime;

}
