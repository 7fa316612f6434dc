using Dledger.Raft;

namespace Dledger.Replication.Driving;

/// <summary>
/// Leadership on its way to another node, because somebody asked or because this node stops. Owned by the replication loop.
/// </summary>
internal sealed class HandOver(RaftCore core)
{
    private const long StopPatienceMicroseconds = 1_500_000;

    private TaskCompletionSource<bool>? _transfer;

    /// <summary>The node stops: nothing new is taken on.</summary>
    public bool IsStopping { get; private set; }

    /// <summary>The others are told before the end.</summary>
    public bool IsGraceful { get; private set; }

    /// <summary>Until when a leader that stops may wait for its successor; meaningful while it stops.</summary>
    public long StopDeadline { get; private set; }

    /// <summary>Somebody wants another leader.</summary>
    public void Begin(long now, TransferRequested request)
    {
        if (_transfer is not null || core.Role != RaftRole.Leader || IsStopping)
        {
            request.Completion.TrySetResult(false);
            return;
        }

        _transfer = request.Completion;
        core.TransferLeadership(now, request.Target);
    }

    /// <summary>The core's attempt ended.</summary>
    public void Finished(bool isSuccess)
    {
        _transfer?.TrySetResult(isSuccess);
        _transfer = null;
        StopDeadline = IsStopping ? 0 : StopDeadline;
    }

    /// <summary>The node is to stop. A second request cuts the patience of the first one short.</summary>
    public void Stop(long now, StopRequested request)
    {
        // A stop without grace is over at once, like the death of the process.
        StopDeadline = now;
        if (IsStopping)
        {
            return;
        }

        IsStopping = true;
        IsGraceful = request.IsGraceful;
        if (request.IsGraceful && core.Role == RaftRole.Leader && core.Configuration.Members.Count > 1)
        {
            StopDeadline = now + StopPatienceMicroseconds;
            core.TransferLeadership(now, null);
        }
    }

    /// <summary>Whether a node that stops need not wait any more.</summary>
    public bool MayEnd(long now) => IsStopping && (core.Role != RaftRole.Leader || now >= StopDeadline);

    /// <summary>Nobody is answered later than now.</summary>
    public void Abandon() => _transfer?.TrySetResult(false);
}
