using System.Collections.Concurrent;

namespace Dledger.Broker.Proposals;

/// <summary>
/// Ends of the leader's own proposals that came on another thread and wait for the apply loop. Any thread.
/// </summary>
/// <remarks>Bounded by the number of proposals in flight, each of which ends once.</remarks>
internal sealed class LeaderInbox(Action wake)
{
    private readonly ConcurrentQueue<Action> _ends = new();

    public void Add(Action end)
    {
        _ends.Enqueue(end);
        wake();
    }

    /// <summary>Called on the apply loop.</summary>
    public void Drain()
    {
        while (_ends.TryDequeue(out var end))
        {
            end();
        }
    }
}
