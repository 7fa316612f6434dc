using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Quorums;

namespace Dledger.Raft.Leaders;

/// <summary>Changes of the members, by joint consensus (Raft section 6, thesis 4.3). One at a time (I26).</summary>
/// <remarks>
/// <code>
/// Cold  --request-->  Cold,new  --committed-->  Cnew  --committed-->  done; the leader goes if it is no voter any more
/// Cold  --request, voters unchanged-->  Cnew  --committed-->  done
/// </code>
/// A leader that finds an unfinished joint configuration in its log finishes it: whoever asked for it may be gone.
/// </remarks>
internal sealed class Reconfiguration(RaftState state)
{
    private const int CaughtUpRoundsMin = 2;

    private readonly RaftState _state = state;
    private ConfigurationChange? _change;
    private Configuration? _cutting;

    /// <summary>Begins a change, or refuses it with a reason.</summary>
    public void Start(ConfigurationChange change, LogPosition? termStart, bool isTransferring)
    {
        var fault = FindFault(termStart, isTransferring);
        Configuration? next = null;
        if (fault is null && change.TryApply(_state.Configuration, out next, out fault))
        {
            fault = FindLaggard(change);
        }

        if (fault is null && next is not null)
        {
            _change = change;
            Cut(next);
        }
        else
        {
            Finish(change, ConfigurationChangeOutcome.Refused, fault);
        }
    }

    /// <summary>The driver cut a frame that is flagged as a configuration: what it holds.</summary>
    public Configuration TakeCut()
    {
        Invariant.Check(_cutting is not null, "I26: a configuration was cut that the core did not ask for");
        Invariant.Check(
            _state.Log.IsConfigurationCommitted,
            $"I26: {_cutting} is cut, that at {_state.Log.Effective.Position} is not committed yet");
        var configuration = _cutting;
        _cutting = null;
        return configuration;
    }

    /// <summary>
    /// Goes on when the configuration in force is committed. True when this node has led its last change and is no voter any more.
    /// </summary>
    public bool Advance(LogPosition? termStart)
    {
        if (_cutting is not null || termStart is not { } start || _state.Log.Commit <= start || !_state.Log.IsConfigurationCommitted)
        {
            return false;
        }

        if (_state.Configuration.IsJoint)
        {
            Cut(_state.Configuration.Final);
            return false;
        }

        if (_change is { } change)
        {
            _change = null;
            Finish(change, ConfigurationChangeOutcome.Done, reason: null);
        }

        return !_state.IsVoter;
    }

    /// <summary>This node leads no more: a change under way may still come to pass.</summary>
    public void Stop()
    {
        _cutting = null;
        if (_change is { } change)
        {
            _change = null;
            Finish(change, ConfigurationChangeOutcome.Unknown, "this node leads no more");
        }
    }

    public void Finish(ConfigurationChange change, ConfigurationChangeOutcome outcome, string? reason) =>
        _state.Effects.Add(new ConfigurationChangeFinished(change, outcome, reason));

    private void Cut(Configuration configuration)
    {
        _cutting = configuration;
        _state.Effects.Add(new CutConfiguration(configuration));
    }

    private string? FindFault(LogPosition? termStart, bool isTransferring)
    {
        if (termStart is not { } start || _state.Log.Commit <= start)
        {
            return "the leader's term has no committed frame yet";
        }

        if (_cutting is not null || _state.Configuration.IsJoint || !_state.Log.IsConfigurationCommitted)
        {
            return "another change is under way";
        }

        return isTransferring ? "leadership is being handed over" : null;
    }

    private string? FindLaggard(ConfigurationChange change)
    {
        foreach (var member in change.Promote)
        {
            var peer = _state.Peers.Find(member.Node);
            if (peer is null || peer.Member != member || !peer.IsConnected)
            {
                return $"learner {member} is not connected";
            }

            if (peer.CaughtUpRounds < CaughtUpRoundsMin)
            {
                return $"learner {member} has {peer.Match} of {_state.Log.End} and must be close behind in {CaughtUpRoundsMin} rounds";
            }
        }

        return null;
    }
}
