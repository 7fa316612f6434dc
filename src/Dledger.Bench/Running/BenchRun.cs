using Dledger.Bench.Measuring;

namespace Dledger.Bench.Running;

/// <summary>Runs phases one after another, and tells whoever asks which one is under way.</summary>
public sealed class BenchRun(IBenchClock clock)
{
    private volatile PhaseUnderWay? _current;

    public IBenchClock Clock { get; } = clock;

    /// <summary>The phase under way, for live progress; null between phases.</summary>
    public PhaseUnderWay? Current => _current;

    /// <summary>Runs the loads of a phase to its end, or to the cancellation: then the results are those so far.</summary>
    /// <param name="phase">What to run.</param>
    /// <param name="measuring">Called when the warm-up is over.</param>
    /// <param name="cancellationToken">Ends the phase early.</param>
    /// <returns>One result for each load, in their order.</returns>
    public async Task<IReadOnlyList<LoadResult>> RunAsync(BenchPhase phase, Action? measuring, CancellationToken cancellationToken)
    {
        var begin = Clock.Now;
        var measuredFrom = begin + Nanoseconds(phase.WarmUp);
        var window = new LoadWindow(begin, measuredFrom, measuredFrom + Nanoseconds(phase.Duration));
        foreach (var load in phase.Loads)
        {
            load.Meter.Open(window);
        }

        _current = new PhaseUnderWay(phase, window);
        try
        {
            await using var closing = cancellationToken.Register(() => window.Close(Clock.Now));
            await Task.WhenAll([
                .. phase.Loads.Select(load => RunLoadAsync(load, window, cancellationToken)),
                TellAsync(measuring, measuredFrom, cancellationToken),
            ]);
        }
        finally
        {
            _current = null;
        }

        return [.. phase.Loads.Select(load => load.Meter.Result())];
    }

    private async Task RunLoadAsync(IBenchLoad load, LoadWindow window, CancellationToken cancellationToken)
    {
        await load.RunAsync(window, cancellationToken);
        if (load.EndsPhase)
        {
            window.Close(Clock.Now);
        }
    }

    private async Task TellAsync(Action? measuring, long time, CancellationToken cancellationToken)
    {
        if (measuring is null)
        {
            return;
        }

        try
        {
            await Clock.WaitUntilAsync(time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Interrupted in the warm-up: nothing was measured.
        }

        measuring();
    }

    private static long Nanoseconds(TimeSpan time) => (long)time.TotalNanoseconds;
}
