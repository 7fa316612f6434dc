using Dledger.Bench.Running;

namespace Dledger.Bench.Tests.Running;

/// <summary>A clock that stands still until somebody waits or works: then it jumps.</summary>
internal sealed class SimulatedClock : IBenchClock
{
    public const long Millisecond = 1_000_000;
    public const long Second = 1_000 * Millisecond;

    private long _now;

    public long Now => Volatile.Read(ref _now);

    public void Advance(long time) => Interlocked.Add(ref _now, time);

    public ValueTask WaitUntilAsync(long time, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        for (var known = Now; time > known;)
        {
            var found = Interlocked.CompareExchange(ref _now, time, known);
            if (found == known)
            {
                break;
            }

            known = found;
        }

        return ValueTask.CompletedTask;
    }
}
