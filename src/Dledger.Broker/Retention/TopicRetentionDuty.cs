using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;
using Dledger.Broker.StateMachine;
using Dledger.Replication;
using Dledger.Storage.Records;

namespace Dledger.Broker.Retention;

/// <summary>
/// What the serving leader does about topics that keep shorter, longer or fewer messages than the cluster: proposes where their queues
/// shall begin. Volatile, owned by the apply loop.
/// </summary>
/// <remarks>
/// It decides by log time and index; every node applies the offsets that the record names. A topic is looked at when its turn comes,
/// those first that have waited longest, until the look's budget is used up.
/// </remarks>
internal sealed class TopicRetentionDuty(
    BrokerState state, RecordReader records, LeaderInbox inbox, Func<Proposal, ProposalFailure?> propose)
{
    private readonly Dictionary<int, TopicWatch> _watches = [];

    /// <summary>This node began or ceased to serve.</summary>
    public void Reset() => _watches.Clear();

    /// <summary>Looks at the topics whose turn it is.</summary>
    public void Work(long logTimeNow)
    {
        var due = FindDue(logTimeNow);
        var budget = RetentionBudget.OfOneLook;
        foreach (var (topicId, watch) in due)
        {
            if (budget.IsUsedUp)
            {
                return;
            }

            var topic = state.Topics.Find(topicId)!;
            var trims = watch.FindTrims(topic, records, state.LogStart, logTimeNow, ref budget);

            // Where the budget ended in the middle of a topic, the next look goes on with it.
            watch.NextAt = budget.IsUsedUp ? logTimeNow : logTimeNow + watch.Interval;
            if (trims.Count > 0)
            {
                Propose(watch, new TopicTrimCommand(topicId, watch.Retention, trims));
            }
        }
    }

    private List<KeyValuePair<int, TopicWatch>> FindDue(long logTimeNow)
    {
        foreach (var topicId in _watches.Keys.ToArray())
        {
            if (state.Topics.Find(topicId)?.View.Retention != _watches[topicId].Retention)
            {
                _watches.Remove(topicId);
            }
        }

        foreach (var topic in state.Topics.All)
        {
            if (topic.View.Retention.IsSet)
            {
                _watches.TryAdd(topic.Id, new TopicWatch(topic.View.Retention));
            }
        }

        return [.. _watches
            .Where(pair => pair.Value.NextAt <= logTimeNow && !pair.Value.IsProposed)
            .OrderBy(pair => pair.Value.NextAt)
            .ThenBy(pair => pair.Key)];
    }

    private void Propose(TopicWatch watch, TopicTrimCommand command)
    {
        var record = ControlRecord.Encode(RecordKind.TopicTrim, command.Encode());
        watch.IsProposed = true;
        watch.IsProposed = propose(new LeaderProposal(record, inbox, (_, _) => watch.IsProposed = false)) is null;
    }
}
