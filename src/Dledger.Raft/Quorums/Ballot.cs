namespace Dledger.Raft.Quorums;

/// <summary>Counts the answers of one round of votes. Only voters of the configuration count, each once (I6).</summary>
/// <remarks>
/// A voter that may have lost frames grants with reserve: its grant counts only when all voters grant. Then the candidate's log is
/// at least as good as every other one, so it has each frame that any of them still has.
/// </remarks>
internal sealed class Ballot(Configuration configuration, SeededDefect defect = SeededDefect.None)
{
    private readonly HashSet<Member> _granted = [];
    private readonly HashSet<Member> _reserved = [];
    private readonly HashSet<Member> _awaited = [];

    /// <summary>A majority granted, of both halves when the configuration is joint; or every voter, if only with reserve.</summary>
    public bool IsWon => HasMajority(voter => _granted.Contains(voter)) || HasAll(HasGranted);

    /// <summary>
    /// Those who granted and those whose answer may still come are no majority. A voter that cannot be reached counts as
    /// one that refused: the dead leader, which nobody hears from, must not keep two rivals waiting for its answer.
    /// </summary>
    public bool IsLost => !HasMajority(voter => _granted.Contains(voter) || _awaited.Contains(voter))
        && !HasAll(voter => HasGranted(voter) || _awaited.Contains(voter));

    /// <summary>Whether a voter granted already, so that it need not be asked again.</summary>
    public bool HasGranted(Member voter) => _granted.Contains(voter) || _reserved.Contains(voter);

    /// <summary>An answer of this voter may come from now on.</summary>
    public void Await(Member voter)
    {
        if (configuration.IsVoter(voter) && !HasGranted(voter))
        {
            _awaited.Add(voter);
        }
    }

    /// <summary>No answer of this voter will come: the connection is gone.</summary>
    public void GiveUp(Member voter) => _awaited.Remove(voter);

    /// <summary>Counts an answer; a voter that refused may grant later, but not the other way round.</summary>
    public void Count(Member voter, bool isGranted, bool hasReserve = false)
    {
        _awaited.Remove(voter);
        if (isGranted && configuration.IsVoter(voter))
        {
            (hasReserve ? _reserved : _granted).Add(voter);
        }
    }

    private bool HasMajority(Predicate<Member> isCounted) => HasMajority(configuration.Voters, isCounted)
        && (!configuration.IsJoint || defect == SeededDefect.JointOneMajority || HasMajority(configuration.VotersNew, isCounted));

    private bool HasAll(Predicate<Member> isCounted) =>
        configuration.Voters.All(voter => isCounted(voter)) && configuration.VotersNew.All(voter => isCounted(voter));

    private static bool HasMajority(IReadOnlyList<Member> voters, Predicate<Member> isCounted) =>
        voters.Count(voter => isCounted(voter)) >= Quorum.Size(voters.Count);
}
