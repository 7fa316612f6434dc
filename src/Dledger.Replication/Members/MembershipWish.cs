using Dledger.Primitives;

namespace Dledger.Replication.Members;

/// <summary>A change that somebody asked this leader for, and who waits for it. Owned by the replication loop.</summary>
internal sealed class MembershipWish(MembershipChange change)
{
    private readonly List<(long Until, TaskCompletionSource<MembershipOutcome> Completion)> _waiting = [];

    /// <summary>As last asked for.</summary>
    public MembershipChange Change { get; set; } = change;

    /// <summary>What it waits for, in words.</summary>
    public string Waits { get; set; } = "it has just begun";

    /// <summary>When somebody last wanted it, microseconds.</summary>
    public long AskedUntil { get; private set; }

    /// <summary>Somebody waits until a time.</summary>
    public void Await(long until, TaskCompletionSource<MembershipOutcome> completion)
    {
        AskedUntil = Math.Max(AskedUntil, until);
        _waiting.Add((until, completion));
    }

    /// <summary>Answers those whose patience is over.</summary>
    public void AnswerImpatient(long now)
    {
        var outcome = new MembershipOutcome(MembershipOutcomeKind.Pending, Waits, NodeId.None);
        _waiting.RemoveAll(waiting => waiting.Until <= now && waiting.Completion.TrySetResult(outcome));
    }

    /// <summary>Answers all.</summary>
    public void End(MembershipOutcome outcome)
    {
        foreach (var (_, completion) in _waiting)
        {
            completion.TrySetResult(outcome);
        }

        _waiting.Clear();
    }
}
