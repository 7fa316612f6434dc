using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.ClusterSimulation.Nodes;
using Dledger.ClusterSimulation.Scenarios;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// What the clients of a group with rare settings were given, beside what the log says: times to live (I70), at most once (I71),
/// messages in flight (I72), one client at a time (I73), pauses (I74).
/// </summary>
/// <remarks>
/// A receipt names the Lease record that it comes from, so each delivery has a place in the log and a log time. Of leases whose answers
/// were lost nobody knows whether they took effect: counts are lower bounds.
/// </remarks>
internal sealed class ModeHistory
{
    public const string Topic = "moded";
    public const string Group = "moded";

    private const string IdPrefix = "m:";

    private readonly SimulatedCluster _cluster;
    private readonly ModeScenario _scenario;
    private readonly Dictionary<string, long> _lifetimes = new(StringComparer.Ordinal);
    private readonly Dictionary<(int QueueId, long Offset), StoredMessage> _stored = [];
    private int _receivesUnderWay;
    private readonly HashSet<(int QueueId, long Offset)> _ackInvoked = [];
    private readonly HashSet<(int QueueId, long Offset)> _delivered = [];
    private readonly SortedDictionary<long, Handing> _handings = [];
    private readonly Dictionary<string, List<long>> _goodbyes = new(StringComparer.Ordinal);
    private readonly List<(long Position, long LogTime, GroupPauseCommand Command)> _pauses = [];
    private readonly HashSet<string> _reasons = new(StringComparer.Ordinal);
    private int _number;

    public ModeHistory(SimulatedCluster cluster, ModeScenario scenario)
    {
        _cluster = cluster;
        _scenario = scenario;
        Random = new SimulationRandom(scenario.Seed);
        Ledger = new LeaseLedger(cluster)
        {
            Acked = Acked,
            FinishedUnseen = FinishedUnseen,
            Forwarded = Forwarded,
            Skipped = (queueId, offset) =>
                cluster.Checks.Check("I70", false, $"a lease of a group without filters skips {queueId}/{offset}"),
        };
    }

    public ModeScenario Scenario => _scenario;

    public SimulationRandom Random { get; }

    public LeaseLedger Ledger { get; }

    public static bool Owns(string messageId) => messageId.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>A send begins; each attempt has an id of its own. A lifetime of 0 is none.</summary>
    public string Invoke(long lifetimeMilliseconds)
    {
        var id = $"{IdPrefix}{++_number}";
        _lifetimes.Add(id, lifetimeMilliseconds * 1_000);
        return id;
    }

    /// <summary>A message was committed.</summary>
    public void Stored(StoredMessage message)
    {
        _cluster.Checks.Check("I42", _lifetimes.ContainsKey(message.Id), $"{message.Id} is in the log, but nobody sent it");
        Ledger.TopicId = message.TopicId;
        _stored.Add((message.QueueId, message.Offset), message);
    }

    /// <summary>A pause or its end is in the log.</summary>
    public void Paused(LogPosition position, GroupPauseCommand command, long logTime)
    {
        _pauses.Add((position.Value, logTime, command));
        _reasons.Add(command.Reason);
    }

    /// <summary>An operator was told that a group is paused.</summary>
    public void PauseConfirmed(string reason)
    {
        _cluster.Marks.Reach("group paused");
        _cluster.Checks.Check("I74", _reasons.Contains(reason), $"pause '{reason}' is confirmed, but it is not in the log");
    }

    public void AckInvoked(DeliveredMessage message) => _ackInvoked.Add((message.QueueId, message.QueueOffset.Value));

    /// <summary>A client is about to say goodbye.</summary>
    public void Leaves(string client)
    {
        if (!_goodbyes.TryGetValue(client, out var list))
        {
            _goodbyes.Add(client, list = []);
        }

        list.Add(_cluster.Events.Now);
    }

    /// <summary>A receive that began at some moment brought messages.</summary>
    public void Delivered(string client, IReadOnlyList<DeliveredMessage> batch, long begun)
    {
        foreach (var message in batch)
        {
            var (delivery, lease) = Ledger.Of(message);
            _cluster.Checks.Check(
                "I7",
                lease.ClientHash == IdentityHash.OfClient(client),
                $"{message.MessageId} comes to {client}, but the lease at {lease.Position} is another's");
            CheckLifetime(message, lease);
            CheckPauses(message, lease);
            CheckOnce(message);
            if (!_handings.TryGetValue(lease.Position, out var handing))
            {
                _handings.Add(lease.Position, handing = new Handing(lease, client, begun, _cluster.Events.Now));
            }

            handing.Deliveries.Add(delivery);
        }

        if (batch.Count > 0)
        {
            var own = _handings[Ledger.Of(batch[0]).Lease.Position];
            CheckHolder(own);
            CheckInFlight(own.Lease.Position);
        }
    }

    /// <summary>
    /// A client that has all that it may have was answered in a healed cluster, and none of its leases has ended: when there are messages
    /// that nobody was given, and no receive of another client was under way for them, it has to be told why it gets none of them. In an
    /// ordered group such a message may wait for one of its message group.
    /// </summary>
    public void HeldBack(SimulatedNode node, IReadOnlyList<DeliveredMessage> inHand, ReceiveOutcome outcome, bool hadFresh)
    {
        if (outcome.Failure is { Error: Broker.BrokerError.Busy })
        {
            _cluster.Marks.Reach("receive held by messages in flight");
        }

        var isKnown = _cluster.IsHealed
            && !_scenario.IsExclusive
            && !_scenario.IsOrdered
            && hadFresh
            && HasFresh()
            && (_pauses.Count == 0 || !_pauses[^1].Command.IsPaused)
            && _cluster.Nodes.Count(each => each.Replication?.Status.IsServing == true) == 1
            && node.Replication is { Status.IsServing: true } log
            && inHand.All(message => Ledger.DeadlineOf(Ledger.Of(message).Delivery) > log.LogTimeNow);
        _cluster.Checks.Check(
            "I72",
            !isKnown || outcome.Failure is not null,
            $"a client with {inHand.Count} messages in flight of {_scenario.MaxInFlightPerClient} gets nothing, and is not told why");
    }

    /// <summary>Receives that began so far.</summary>
    public int ReceivesBegun { get; private set; }

    /// <summary>A receive begins; true when no other one is under way.</summary>
    public bool BeginReceive()
    {
        ReceivesBegun++;
        return ++_receivesUnderWay == 1;
    }

    /// <summary>A receive has ended, or nobody waits for it any more: then its lease may still come.</summary>
    public void EndReceive() => _receivesUnderWay--;

    /// <summary>Whether there are messages that no lease names and that retention has not taken.</summary>
    public bool HasFresh() => _stored.Values.Any(message =>
        message.Offset >= Ledger.LeasedBelow(message.QueueId) && !_cluster.Oracle.IsGone(message));

    private bool IsOver(StoredMessage message, long logTime) =>
        _lifetimes[message.Id] is > 0 and var lifetime && message.StoredAt + lifetime <= logTime;

    private void CheckLifetime(DeliveredMessage message, in LedgerLease lease)
    {
        var stored = _stored[(message.QueueId, message.QueueOffset.Value)];
        _cluster.Checks.Check(
            "I70",
            stored.Id == message.MessageId && !IsOver(stored, lease.LogTime),
            $"{stored.Id} of {stored.StoredAt} lives {_lifetimes[stored.Id]} us, and is handed out at {lease.LogTime}");
    }

    private void Acked(DeliveryReference delivery, long logTime) => _cluster.Checks.Check(
        "I70",
        _ackInvoked.Contains((delivery.QueueId, delivery.Offset)),
        $"{_stored[(delivery.QueueId, delivery.Offset)].Id} is acknowledged at {logTime}, but no client did it");

    // Nobody filters here: only that it lived too long finishes a message without its receiver.
    private void FinishedUnseen(DeliveryReference delivery, long logTime)
    {
        var stored = _stored[(delivery.QueueId, delivery.Offset)];
        _cluster.Marks.Reach("message that lived too long finished");
        _cluster.Checks.Check(
            "I70",
            IsOver(stored, logTime) && _scenario.Expiry == ExpiryMode.Drop,
            $"{stored.Id} of {stored.StoredAt}, which lives {_lifetimes[stored.Id]} us, is finished at {logTime} without an ack");
    }

    private void Forwarded(DeliveryReference delivery, long logTime)
    {
        var stored = _stored[(delivery.QueueId, delivery.Offset)];
        _cluster.Marks.Reach("message that lived too long moved to the dead letters");
        _cluster.Checks.Check(
            "I70",
            _scenario.Expiry == ExpiryMode.DeadLetter && IsOver(stored, logTime),
            $"{stored.Id} of {stored.StoredAt}, which lives {_lifetimes[stored.Id]} us, becomes a dead letter at {logTime}");
    }

    private void CheckOnce(DeliveredMessage message)
    {
        var isFirst = _delivered.Add((message.QueueId, message.QueueOffset.Value));
        _cluster.Checks.Check(
            "I71",
            !_scenario.IsAtMostOnce || (isFirst && message.Attempt == 1),
            $"{message.MessageId} is handed out again, in attempt {message.Attempt}");
    }

    private void CheckPauses(DeliveredMessage message, in LedgerLease lease)
    {
        var position = lease.Position;
        var index = _pauses.FindLastIndex(pause => pause.Position < position);
        if (index < 0 || !_pauses[index].Command.IsPaused)
        {
            return;
        }

        var (at, since, command) = _pauses[index];
        if (command.Microseconds > 0 && since + command.Microseconds <= lease.LogTime)
        {
            _cluster.Marks.Reach("pause of a group ended by itself");
            return;
        }

        _cluster.Checks.Check(
            "I74",
            false,
            $"{message.MessageId} is handed out at {lease.Position}, log time {lease.LogTime}: the group is paused since {at}, {since}, "
                + $"for {command.Microseconds} us");
    }

    // A client follows another one when that said goodbye or was silent since its call, by a clock that may be a little fast.
    private void CheckHolder(Handing own)
    {
        if (!_scenario.IsExclusive)
        {
            return;
        }

        var all = _handings.Values.ToList();
        var index = all.IndexOf(own);
        for (var i = Math.Max(1, index); i <= Math.Min(all.Count - 1, index + 1); i++)
        {
            var (before, after) = (all[i - 1], all[i]);
            if (before.Client == after.Client)
            {
                continue;
            }

            var hasLeft = _goodbyes.GetValueOrDefault(before.Client, []).Exists(at => at >= before.Begun);
            var silence = (after.Ended - before.Begun) * (1 + _cluster.Scenario.ClockError);
            _cluster.Marks.Reach(hasLeft ? "exclusive group taken over after a goodbye" : "exclusive group taken over after silence");
            _cluster.Checks.Check(
                "I73",
                hasLeft || silence >= _scenario.HolderSilence,
                $"{after.Client} is given messages at {after.Lease.Position}, {silence} us after {before.Client} asked for those of "
                    + $"{before.Lease.Position}; it must be silent for {_scenario.HolderSilence} us");
        }
    }

    // What arrives late counts for those behind it as well.
    private void CheckInFlight(long from)
    {
        if (!_scenario.HasCaps)
        {
            return;
        }

        foreach (var handing in _handings.Values.Where(each => each.Lease.Position >= from))
        {
            var (total, ofClient) = (0, 0);
            foreach (var other in _handings.Values.TakeWhile(each => each.Lease.Position <= handing.Lease.Position))
            {
                var count = other.Deliveries.Count(delivery => Ledger.IsOpenAt(delivery, handing.Lease)
                    && !_cluster.Oracle.IsGone(_stored[(delivery.QueueId, delivery.Offset)]));
                total += count;
                ofClient += other.Client == handing.Client ? count : 0;
            }

            _cluster.Checks.Check(
                "I72",
                total <= _scenario.MaxInFlight && ofClient <= _scenario.MaxInFlightPerClient,
                $"the lease at {handing.Lease.Position} makes {total} messages in flight of {_scenario.MaxInFlight}, "
                    + $"{ofClient} of {_scenario.MaxInFlightPerClient} with {handing.Client}");
        }
    }

    /// <summary>What one lease handed to a client.</summary>
    private sealed record Handing(LedgerLease Lease, string Client, long Begun, long Ended)
    {
        public HashSet<DeliveryReference> Deliveries { get; } = [];
    }
}
