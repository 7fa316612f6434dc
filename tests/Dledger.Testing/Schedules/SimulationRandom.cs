namespace Dledger.Testing.Schedules;

/// <summary>All randomness of a run, from its seed (SplitMix64).</summary>
public sealed class SimulationRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong NextWord()
    {
        _state += 0x9E3779B97F4A7C15;
        var mixed = _state;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>A value in [minimum, maximum).</summary>
    public long Next(long minimum, long maximum) =>
        maximum <= minimum ? minimum : minimum + (long)(NextWord() % (ulong)(maximum - minimum));

    /// <summary>A value in [0, maximum).</summary>
    public int Next(int maximum) => (int)(NextWord() % (ulong)maximum);

    public T Pick<T>(IReadOnlyList<T> items) => items[Next(items.Count)];

    public double NextDouble() => (NextWord() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => NextDouble() < probability;

    /// <summary>Uniform in the logarithm, so that rare extremes occur.</summary>
    public long NextLogarithmic(long minimum, long maximum) =>
        (long)(minimum * Math.Exp(NextDouble() * Math.Log((double)maximum / minimum)));

    /// <summary>Exponentially distributed, at least 1.</summary>
    public long NextInterval(long mean) => 1 + (long)(-mean * Math.Log(1 - NextDouble()));
}
