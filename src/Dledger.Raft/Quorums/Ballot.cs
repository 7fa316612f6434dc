using Dledger.Primitives;

namespace Dledger.Raft.Quorums;

/// <summary>Counts the answers of one round of votes. Only voters of the configuration count, each once.</summary>
internal sealed class Ballot(Configuration configuration)
{
    private readonly HashSet<NodeId> _granted = [];
    private readonly HashSet<NodeId> _awaited = [];

    /// <summary>A majority granted.</summary>
    public bool IsWon => _granted.Count >= Quorum.Size(configuration.Voters.Count);

    /// <summary>
    /// Those who granted and those whose answer may still come are no majority. A voter that cannot be reached counts as
    /// one that refused: the dead leader, which nobody hears from, must not keep two rivals waiting for its answer.
    /// </summary>
    public bool IsLost => _granted.Count + _awaited.Count < Quorum.Size(configuration.Voters.Count);

    /// <summary>Whether a voter granted already, so that it need not be asked again.</summary>
    public bool HasGranted(NodeId node) => _granted.Contains(node);

    /// <summary>An answer of this voter may come from now on.</summary>
    public void Await(NodeId voter)
    {
        if (configuration.IsVoter(voter) && !HasGranted(voter))
        {
            _awaited.Add(voter);
        }
    }

    /// <summary>No answer of this voter will come: the connection is gone.</summary>
    public void GiveUp(NodeId voter) => _awaited.Remove(voter);

    /// <summary>Counts an answer; a voter that refused may grant later, but not the other way round.</summary>
    public void Count(NodeId voter, bool isGranted)
    {
        _awaited.Remove(voter);
        if (isGranted && configuration.IsVoter(voter))
        {
            _granted.Add(voter);
        }
    }
}
