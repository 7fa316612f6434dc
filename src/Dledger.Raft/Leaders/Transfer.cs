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
    private bool _isTold;
    private long _number;

    /// <summary>While true the driver cuts no frames.</summary>
    public bool IsActive => _target is not null;

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
        Deadline = now + _state.Options.TransferCatchUpMax;
        Advance(now);
        return true;
    }

    /// <summary>Whether a peer exists that could take over now.</summary>
    public bool HasTarget() => FindTarget(null) is not null;

    /// <summary>Tells the target to campaign as soon as it has all frames durable.</summary>
    public void Advance(long now)
    {
        if (_target is not { } target || _isTold || target.Match != _state.Log.End || !target.IsConnected)
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
            Deadline = long.MaxValue;
            _state.Effects.Add(new TransferFinished(isSuccess));
        }
    }

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
                && (wanted is null || wanted == peer.Node);
            if (isSuitable && (best is null || peer.Match > best.Match))
            {
                best = peer;
            }
        }

        return best;
    }
}
