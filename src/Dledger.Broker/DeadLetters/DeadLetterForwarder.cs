using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.Topics;
using Dledger.Replication;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.DeadLetters;

/// <summary>
/// Does what the state machine owes: proposes the dead letter copy of each message that ran out of attempts. Volatile,
/// the
/// serving leader's only, owned by the apply loop.
/// </summary>
internal sealed class DeadLetterForwarder(
    TopicTable topics,
    GroupTable groups,
    LeaseTable leases,
    LeaderInbox inbox,
    RecordReader records,
    Func<Proposal, ProposalFailure?> propose,
    ILogger logger)
{
    /// <summary>Copies in flight: enough to keep the log busy, few enough to keep the apply loop free.</summary>
    private const int InFlightMax = 16;

    /// <summary>Log time after which a record that was damaged is tried again: other nodes may have mended it.</summary>
    private const long UnreadablePause = 5_000_000;

    private readonly HashSet<Obligation> _inFlight = [];
    private readonly HashSet<Obligation> _unreadable = [];
    private readonly HashSet<string> _creating = new(StringComparer.Ordinal);

    /// <summary>A proposal was refused: try again soon.</summary>
    public bool MustRetry { get; private set; }

    /// <summary>Log time at which <see cref="RetryUnreadable"/> has something to do.</summary>
    public long RetryAt { get; private set; } = long.MaxValue;

    /// <summary>Forgets which records could not be read, once it is time.</summary>
    public void RetryUnreadable(long logTimeNow)
    {
        if (RetryAt <= logTimeNow)
        {
            RetryAt = long.MaxValue;
            _unreadable.Clear();
        }
    }

    /// <summary>Proposes what is owed, as far as there is room.</summary>
    public void Work(long logTime)
    {
        MustRetry = false;
        if (leases.Obligations.Count == 0)
        {
            return;
        }

        // The set changes only by apply, never by a proposal, so it can be walked.
        foreach (var obligation in leases.Obligations)
        {
            if (_inFlight.Count >= InFlightMax || MustRetry)
            {
                return;
            }

            if (!_inFlight.Contains(obligation) && !_unreadable.Contains(obligation))
            {
                Forward(obligation, logTime);
            }
        }
    }

    /// <summary>Forgets what was in flight.</summary>
    public void Clear()
    {
        _inFlight.Clear();
        _unreadable.Clear();
        _creating.Clear();
        MustRetry = false;
        RetryAt = long.MaxValue;
    }

    private void Forward(Obligation obligation, long logTime)
    {
        if (groups.Find(obligation.GroupId) is not { } group || topics.Find(obligation.TopicId) is not { } topic)
        {
            return;
        }

        var name = Names.DeadLetterTopic(group.View.Name);
        if (topics.Find(name) is not { } deadLetters)
        {
            CreateTopic(name);
            return;
        }

        var entry = topic.Queues[obligation.QueueId].Read(obligation.Offset);
        if (records.Read(entry.Position, entry.Size) is not { } bytes)
        {
            _unreadable.Add(obligation);
            RetryAt = Math.Min(RetryAt, logTime + UnreadablePause);
            BrokerEvents.DeadLetterUnreadable(
                logger, obligation.Offset, obligation.QueueId, topic.View.Name, entry.Position);
            return;
        }

        RecordView.TryParseUnchecked(bytes, out var record, out _);
        ref readonly var delivery = ref topic.Subscriptions[obligation.GroupId].Cursors[obligation.QueueId].At(obligation.Offset);
        var reference = new ForwardReference(
            obligation.GroupId,
            obligation.TopicId,
            new DeliveryReference(obligation.QueueId, obligation.Offset, DeliveryId: 0));
        _inFlight.Add(obligation);
        Propose(
            DeadLetterEncoder.Encode(
                record,
                topic.View.Name,
                deadLetters.Id,
                DeadLetterQueues.Of(group, topic.Id),
                delivery.Attempts,
                delivery.Reason,
                reference,
                group.View.Member?.ClientId ?? ""),
            () => _inFlight.Remove(obligation));
    }

    private void CreateTopic(string name)
    {
        if (_creating.Add(name))
        {
            Propose(DeadLetterTopic.EncodeCreation(name), () => _creating.Remove(name));
        }
    }

    private void Propose(byte[] record, Action ended)
    {
        var proposal = new LeaderProposal(record, inbox, (_, applied) =>
        {
            ended();
            MustRetry |= !applied;
        });
        if (propose(proposal) is not null)
        {
            ended();
            MustRetry = true;
        }
    }
}
