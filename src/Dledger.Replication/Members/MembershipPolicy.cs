using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Quorums;

namespace Dledger.Replication.Members;

/// <summary>
/// Decides on a leader which change of the members comes next: what operators asked for, and the replacement of voters that
/// came back with another data directory (raft-and-storage.md 2.19).
/// </summary>
/// <remarks>
/// <code>
/// add      not connected -> new -> stranger --AddLearner--> learner --PromoteLearner, until it has caught up--> voter
/// replace  voter seen with another storage for a while: the same way; promotion takes the old storage out
/// remove   member --RemoveMember--> gone
/// </code>
/// It looks at the present configuration each time and remembers only who waits, so that a new leader that is asked the same
/// goes on where the old one stopped. One change at a time. Owned by the replication loop; no clock of its own.
/// </remarks>
internal sealed class MembershipPolicy(bool autoReplace)
{
    /// <summary>How long after a refusal, and how often while something waits, in microseconds.</summary>
    public const long RetryDelay = 100_000;

    /// <summary>
    /// How long a voter must be seen with another storage: whoever forgot to mount a disk may notice within seconds.
    /// </summary>
    public const long ReplaceDelay = 2_000_000;

    /// <summary>A wish that has changed nothing yet is forgotten this long after the last one stopped asking.</summary>
    public const long WishLifetime = 60_000_000;

    private readonly List<MembershipWish> _wishes = [];
    private readonly Dictionary<NodeId, (Guid StorageId, long Since)> _replaced = [];
    private ConfigurationChange? _running;
    private MembershipWish? _runningFor;
    private bool _isLastStep;
    private long _notBefore;

    /// <summary>Nodes that must be dialled though no configuration names them yet.</summary>
    public IEnumerable<NodeId> Wanted =>
        _wishes.Where(wish => !wish.Change.IsRemoval).Select(wish => wish.Change.Node);

    /// <summary>Whether <see cref="Next"/> is to be called again after <see cref="RetryDelay"/>.</summary>
    public bool IsWaiting => _wishes.Count > 0 || _replaced.Count > 0;

    /// <summary>Somebody asks for a change, perhaps again.</summary>
    public void Ask(
        long now, MembershipChange change, long patience, TaskCompletionSource<MembershipOutcome> completion)
    {
        var opposite = _wishes.Find(wish => wish.Change.Node == change.Node && wish.Change.IsRemoval != change.IsRemoval);
        if (opposite is not null)
        {
            End(opposite, Refusal($"node {change.Node} is to {(change.IsRemoval ? "leave" : "be added")} now"));
        }

        var wish = _wishes.Find(wish => wish.Change.Node == change.Node);
        if (wish is null)
        {
            wish = new MembershipWish(change);
            _wishes.Add(wish);
        }

        wish.Change = change;
        wish.Await(now + patience, completion);
    }

    /// <summary>The change to ask Raft for now; null when there is none or it is not the time yet.</summary>
    public ConfigurationChange? Next(MembershipView view)
    {
        ConfigurationChange? next = null;
        foreach (var wish in _wishes.ToArray())
        {
            if (Judge(wish, view) is { } change && next is null && MayBegin(view))
            {
                next = change;
                _runningFor = wish;
            }

            wish.AnswerImpatient(view.Now);
            if (wish != _runningFor && view.Now > wish.AskedUntil + WishLifetime
                && view.Configuration.Learners.All(learner => learner.Node != wish.Change.Node))
            {
                End(wish, Refusal("nobody asked for it any more"));
            }
        }

        NoteReplaced(view);
        next ??= MayBegin(view) ? ReplaceOne(view) : null;
        if (next is not null)
        {
            _running = next;
            _isLastStep = next.AddLearners.Count == 0;
        }

        return next;
    }

    /// <summary>Raft has answered.</summary>
    public void Finished(long now, ConfigurationChange change, ConfigurationChangeOutcome outcome, string? reason)
    {
        if (!ReferenceEquals(change, _running))
        {
            return;
        }

        var wish = _runningFor;
        _running = null;
        _runningFor = null;
        if (outcome == ConfigurationChangeOutcome.Refused)
        {
            // Another change under way, a learner that is behind: all of it passes.
            _notBefore = now + RetryDelay;
            if (wish is not null)
            {
                wish.Waits = reason ?? "Raft refused it";
            }
        }
        else if (outcome == ConfigurationChangeOutcome.Done && _isLastStep && wish is not null)
        {
            End(wish, MembershipOutcome.Done);
        }
    }

    /// <summary>This node leads no more: the next leader must be asked.</summary>
    public void Stop(MembershipOutcome outcome)
    {
        foreach (var wish in _wishes)
        {
            wish.End(outcome);
        }

        _wishes.Clear();
        _replaced.Clear();
        _running = null;
        _runningFor = null;
        _notBefore = 0;
    }

    private bool MayBegin(MembershipView view) => _running is null && view.IsSettled && view.Now >= _notBefore;

    private ConfigurationChange? Judge(MembershipWish wish, MembershipView view) =>
        wish.Change.IsRemoval ? JudgeRemoval(wish, view) : JudgeAddition(wish, view);

    private ConfigurationChange? JudgeRemoval(MembershipWish wish, MembershipView view)
    {
        var node = wish.Change.Node;
        var present = view.Configuration;
        if (!view.IsSettled)
        {
            wish.Waits = "another change of the members is under way";
            return null;
        }

        if (!present.IsMember(node))
        {
            End(wish, MembershipOutcome.Done);
            return null;
        }

        var left = present.Voters.Where(voter => voter.Node != node).ToList();
        if (left.Count == 0)
        {
            End(wish, Refusal($"node {node} is the only voter; add another one first"));
            return null;
        }

        var change = new ConfigurationChange { Remove = [.. present.Members.Where(member => member.Node == node)] };
        return !present.IsVoter(node) || CanDecide(wish, left, view) ? change : null;
    }

    private ConfigurationChange? JudgeAddition(MembershipWish wish, MembershipView view)
    {
        var node = wish.Change.Node;
        var present = view.Configuration;
        if (node == view.Self.Node || !view.Peers.TryGetValue(node, out var peer))
        {
            if (view.IsSettled && present.IsVoter(node))
            {
                End(wish, MembershipOutcome.Done);
            }

            var place = $"{wish.Change.Place!.Host}:{wish.Change.Place.PeerPort}";
            wish.Waits = view.Refusals.TryGetValue(node, out var refusal)
                ? $"node {node} at {place}: {refusal}"
                : $"node {node} cannot be reached at {place}";
            return null;
        }

        if (peer.IsFresh)
        {
            wish.Waits = $"node {node} is connected and takes over the cluster's identity";
            return null;
        }

        if (!view.IsSettled)
        {
            wish.Waits = "another change of the members is under way";
            return null;
        }

        var member = new Member(node, peer.StorageId);
        if (present.IsVoter(member))
        {
            End(wish, MembershipOutcome.Done);
            return null;
        }

        if (!present.IsVoter(node) && present.Voters.Count >= ReplicationOptions.VoterCountMax)
        {
            End(wish, Refusal($"there are {ReplicationOptions.VoterCountMax} voters, the most that there may be; remove one first"));
            return null;
        }

        if (!present.Learners.Contains(member))
        {
            return ConfigurationChange.AddLearner(member);
        }

        var voters = present.Voters.Where(voter => voter.Node != node).Append(member).ToList();
        return CanDecide(wish, voters, view) ? ConfigurationChange.PromoteLearner(member) : null;
    }

    /// <summary>A change whose new voters cannot reach a majority would never end, and stop all work.</summary>
    private static bool CanDecide(MembershipWish? wish, List<Member> voters, MembershipView view)
    {
        var reachable = voters.Count(view.IsReachable);
        var needed = (voters.Count / 2) + 1;
        if (reachable < needed && wish is not null)
        {
            wish.Waits = $"of the {voters.Count} voters that there would be, {reachable} are connected to the leader and "
                + $"{needed} are needed; start or remove those that are down first";
        }

        return reachable >= needed;
    }

    private void NoteReplaced(MembershipView view)
    {
        var seen = view.Configuration.IsJoint || !autoReplace
            ? []
            : view.Configuration.Voters.Where(voter => IsReplaced(voter, view)).Select(voter => voter.Node).ToHashSet();
        foreach (var node in _replaced.Keys.Where(node => !seen.Contains(node)).ToArray())
        {
            _replaced.Remove(node);
        }

        foreach (var node in seen)
        {
            var storage = view.Peers[node].StorageId;
            if (!_replaced.TryGetValue(node, out var known) || known.StorageId != storage)
            {
                _replaced[node] = (storage, view.Now);
            }
        }
    }

    private bool IsReplaced(Member voter, MembershipView view) =>
        voter.Node != view.Self.Node
        && view.Peers.TryGetValue(voter.Node, out var peer)
        && !peer.IsFresh
        && peer.StorageId != voter.StorageId
        && !_wishes.Exists(wish => wish.Change.Node == voter.Node);

    // One that is a learner already goes first, so that there is never more than one at a time.
    private ConfigurationChange? ReplaceOne(MembershipView view)
    {
        var due = _replaced
            .Where(seen => view.Now >= seen.Value.Since + ReplaceDelay)
            .Select(seen => new Member(seen.Key, seen.Value.StorageId))
            .Order()
            .ToList();
        if (due.Count == 0)
        {
            return null;
        }

        var learner = due.Find(view.Configuration.Learners.Contains);
        if (learner == default)
        {
            return ConfigurationChange.AddLearner(due[0]);
        }

        var voters = view.Configuration.Voters.Where(voter => voter.Node != learner.Node).Append(learner).ToList();
        return CanDecide(null, voters, view) ? ConfigurationChange.PromoteLearner(learner) : null;
    }

    private void End(MembershipWish wish, MembershipOutcome outcome)
    {
        _wishes.Remove(wish);
        wish.End(outcome);
        if (_runningFor == wish)
        {
            _runningFor = null;
        }
    }

    private static MembershipOutcome Refusal(string reason) => new(MembershipOutcomeKind.Refused, reason, NodeId.None);
}
