using Dledger.Broker.Commands;
using Dledger.Broker.Proposals;
using Dledger.Broker.StateMachine;
using Dledger.Replication;
using Dledger.Storage.Records;

namespace Dledger.Broker.Lites;

/// <summary>
/// Ends lite topics that nobody has used for long and nobody asks for: looks now and then and proposes; apply checks again. Volatile, the
/// serving leader's, owned by the apply loop.
/// </summary>
internal sealed class LiteDuty(
    BrokerState state, LiteSets sets, BrokerOptions options, LeaderInbox inbox, Func<Proposal, ProposalFailure?> propose)
{
    private const long IntervalMin = 1_000_000;
    private const long IntervalMax = 60_000_000;

    private bool _isProposed;
    private long _nextAt;

    /// <summary>Log time of the next look; none while no topic is of the type LITE.</summary>
    public long NextAt => _isProposed || state.Topics.LiteParentCount == 0 ? long.MaxValue : _nextAt;

    /// <summary>This node began or ceased to serve.</summary>
    public void Reset()
    {
        _isProposed = false;
        _nextAt = 0;
    }

    public void Work(long logTimeNow)
    {
        if (NextAt > logTimeNow)
        {
            return;
        }

        // A leader that is new has heard of few clients: the first look comes when all of them have spoken.
        var interval = IntervalMax;
        foreach (var topic in state.Topics.All)
        {
            if (topic.Lites is not { } lites)
            {
                continue;
            }

            var expiry = topic.View.Lite.ExpiryMicroseconds;
            interval = Math.Min(interval, Math.Max(IntervalMin, expiry / 8));
            if (_nextAt > 0 && FindIdle(lites, topic.Id, logTimeNow - expiry) is { Count: > 0 } idle && Propose(topic.Id, idle))
            {
                return;
            }
        }

        _nextAt = logTimeNow + (_nextAt > 0 ? interval : (long)options.LiteFirstLook.TotalMicroseconds);
    }

    private List<string> FindIdle(LiteTable lites, int topicId, long before)
    {
        HashSet<string>? wanted = null;
        var idle = new List<string>();
        foreach (var lite in lites.All)
        {
            if (lite.LastActive > before || idle.Count == LiteEndCommand.CountMax)
            {
                continue;
            }

            wanted ??= sets.Wanted(topicId);
            if (!wanted.Contains(lite.Name) && LiteApplier.IsOver(state.Topics.Find(topicId)!, lite, options.Defect))
            {
                idle.Add(lite.Name);
            }
        }

        return idle;
    }

    private bool Propose(int topicId, List<string> names)
    {
        var record = ControlRecord.Encode(RecordKind.LiteEnd, new LiteEndCommand(topicId, IsForced: false, names).Encode());
        _isProposed = true;
        if (propose(new LeaderProposal(record, inbox, (_, _) => _isProposed = false)) is not null)
        {
            _isProposed = false;
            return false;
        }

        return true;
    }
}
