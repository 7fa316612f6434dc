namespace Dledger.Raft;

/// <summary>The core's only source of randomness: SplitMix64, so that equal seeds give equal runs on every runtime.</summary>
internal sealed class RaftRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A value in [minimum, maximum).</summary>
    public long Next(long minimum, long maximum) => minimum + (long)(Next() % (ulong)(maximum - minimum));

    private ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var mixed = _state;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }
}
