using Dledger.Primitives;

namespace Dledger.Raft.Quorums;

/// <summary>Counts the answers of one round of votes. Only voters of the configuration count, each once.</summary>
internal sealed class Ballot(Configuration configuration)
{
    private readonly HashSet<NodeId> _granted = [];
    private readonly HashSet<NodeId> _refused = [];

    /// <summary>A majority granted.</summary>
    public bool IsWon => _granted.Count >= Quorum.Size(configuration.Voters.Count);

    /// <summary>So many refused that a majority can no longer be reached.</summary>
    public bool IsLost => _refused.Count > configuration.Voters.Count - Quorum.Size(configuration.Voters.Count);

    /// <summary>Whether a voter granted already, so that it need not be asked again.</summary>
    public bool HasGranted(NodeId node) => _granted.Contains(node);

    /// <summary>Counts an answer; a voter that refused may grant later, but not the other way round.</summary>
    public void Count(NodeId voter, bool isGranted)
    {
        if (!configuration.IsVoter(voter))
        {
            return;
        }

        if (isGranted)
        {
            _granted.Add(voter);
            _refused.Remove(voter);
        }
        else if (!_granted.Contains(voter))
        {
            _refused.Add(voter);
        }
    }
}
