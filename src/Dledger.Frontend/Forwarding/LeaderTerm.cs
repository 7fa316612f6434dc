using Dledger.Primitives;

namespace Dledger.Frontend.Forwarding;

/// <summary>The time for which a node leads, as a token: cancelled when another one is known to lead, or the caller has gone.</summary>
/// <remarks>
/// A leader that is frozen or cut off answers nothing and resets no connection; whoever waits for it would wait for its whole
/// deadline, long after the others have elected another. One that handed over in order has its answers on the way, though, so it
/// is given a moment for them.
/// </remarks>
internal sealed class LeaderTerm : IDisposable
{
    private readonly Func<NodeId> _present;
    private readonly Func<Task> _moved;
    private readonly Func<CancellationToken, Task> _grace;
    private readonly NodeId _leader;
    private readonly CancellationTokenSource _source;
    private volatile bool _hasEnded;

    /// <param name="present">The leader as this node knows it; none while nobody leads.</param>
    /// <param name="moved">Completes with the next change of it.</param>
    /// <param name="grace">The moment for the answers of a leader that another one has followed.</param>
    /// <param name="leader">Whom the call goes to.</param>
    /// <param name="caller">Cancelled when the caller has gone.</param>
    public LeaderTerm(
        Func<NodeId> present, Func<Task> moved, Func<CancellationToken, Task> grace, NodeId leader, CancellationToken caller)
    {
        _present = present;
        _moved = moved;
        _grace = grace;
        _leader = leader;
        _source = CancellationTokenSource.CreateLinkedTokenSource(caller);
        Token = _source.Token;
        _ = WatchAsync();
    }

    /// <summary>To be waited with.</summary>
    public CancellationToken Token { get; }

    /// <summary>Another node leads now.</summary>
    public bool HasEnded => _hasEnded;

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Cancel();
        _source.Dispose();
    }

    private async Task WatchAsync()
    {
        try
        {
            while (true)
            {
                // Taken before the look: a change in between completes it.
                var moved = _moved();
                var present = _present();
                if (present != _leader && present != NodeId.None)
                {
                    await _grace(Token);
                    _hasEnded = true;
                    await _source.CancelAsync();
                    return;
                }

                await moved.WaitAsync(Token);
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or ObjectDisposedException)
        {
            // The call has ended.
        }
    }
}
