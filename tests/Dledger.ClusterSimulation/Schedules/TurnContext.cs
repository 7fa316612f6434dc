namespace Dledger.ClusterSimulation.Schedules;

/// <summary>
/// Where the continuations of asynchronous code run: on the simulation's only thread, behind the event that completed what
/// they waited for, in the order of completion.
/// </summary>
internal sealed class TurnContext : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _ready = new();

    public override void Post(SendOrPostCallback d, object? state) => _ready.Enqueue((d, state));

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs what is ready, and what becomes ready by it.</summary>
    public void Drain()
    {
        while (_ready.TryDequeue(out var item))
        {
            item.Callback(item.State);
        }
    }
}
