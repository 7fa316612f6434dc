using Dledger.Bench.Targets;

namespace Dledger.Bench.Tests.Running;

/// <summary>A producer whose sends do what a test says: they are numbered from 0.</summary>
internal sealed class ScriptedProducer(Action<int> send) : IBenchProducer
{
    private int _sends;

    /// <summary>Topic and number of bodies of each send.</summary>
    public List<(int Topic, int Count)> Sends { get; } = [];

    public Task SendAsync(int topic, IReadOnlyList<ReadOnlyMemory<byte>> bodies, CancellationToken cancellationToken)
    {
        lock (Sends)
        {
            Sends.Add((topic, bodies.Count));
        }

        cancellationToken.ThrowIfCancellationRequested();
        send(Interlocked.Increment(ref _sends) - 1);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
