using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;

namespace Dledger.Raft.Leaders;

/// <summary>Hands leadership to a peer that has everything (thesis section 3.10). One attempt per request.</summary>
internal sealed class Transfer(RaftState state)
{
    private readonly RaftState _state = state;
    private Peer? _target;
    private bool _isHolding;
    private bool _isTold;
    private long _number;

    /// <summary>An attempt is under way.</summary>
    public bool IsRunning => _target is not null;

    /// <summary>While true the driver cuts no frames.</summary>
    public bool IsHolding => _isHolding;

    /// <summary>When the attempt is given up.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    /// <summary>Begins an attempt, only with a voter; false, with the failure reported, when nobody suitable exists.</summary>
    public bool TryStart(long now, NodeId? wanted)
    {
        var target = FindTarget(wanted);
        if (target is null)
        {
            _state.Effects.Add(new TransferFinished(false));
            return false;
        }

        _target = target;
        _isTold = false;
        Deadline = now + _state.Options.TransferPrepareMax;
        Advance(now);
        return true;
    }

    /// <summary>Whether a peer exists that could take over now.</summary>
    public bool HasTarget() => FindTarget(null) is not null;

    /// <summary>
    /// Takes no frames any more once the target has applied nearly all, and tells it to campaign as soon as it has all durable.
    /// </summary>
    public void Advance(long now)
    {
        if (_target is not { } target || _isTold || !target.IsConnected)
        {
            return;
        }

        if (!_isHolding && IsNearlyApplied(target))
        {
            _isHolding = true;
            Deadline = now + _state.Options.TransferCatchUpMax;
        }

        if (!_isHolding || target.Match != _state.Log.End)
        {
            return;
        }

        _isTold = true;
        Deadline = now + _state.Options.ElectionTimeoutMin;
        _state.Send(target.Node, new TimeoutNow
        {
            From = _state.Options.Self,
            Session = target.Session,
            Term = _state.Term,
            Transfer = ++_number,
        });
    }

    /// <summary>Ends the attempt, if one runs.</summary>
    public void Finish(bool isSuccess)
    {
        if (_target is not null)
        {
            _target = null;
            _isHolding = false;
            Deadline = long.MaxValue;
            _state.Effects.Add(new TransferFinished(isSuccess));
        }
    }

    private bool IsNearlyApplied(Peer peer) => _state.Log.End - peer.Applied <= _state.Options.ApplyLagMax;

    private Peer? FindTarget(NodeId? wanted)
    {
        Peer? best = null;
        foreach (var peer in _state.Peers.All)
        {
            var isSuitable = peer.IsConnected
                && _state.Configuration.StaysVoter(peer.Member)
                && peer.State == ProgressState.Replicate
                && peer.SyncAge < _state.Options.StallLimit
                && _state.Log.End - peer.Match <= _state.Options.WindowBytesMax
                && (wanted is null ? IsNearlyApplied(peer) : wanted == peer.Node);
            if (isSuitable && (best is null || peer.Match > best.Match))
            {
                best = peer;
            }
        }

        return best;
    }
}
