using Dledger.Primitives;

namespace Dledger.Raft.Quorums;

/// <summary>Majority arithmetic over the voters of one configuration.</summary>
public static class Quorum
{
    /// <summary>How many of <paramref name="voterCount"/> voters are a majority.</summary>
    public static int Size(int voterCount) => (voterCount / 2) + 1;

    /// <summary>
    /// The largest value that a majority of the voters has reached, one value per voter; sorts them in place. Used for
    /// match positions (Raft section 5.3) and for contact times (thesis 6.2).
    /// </summary>
    public static long MajorityValue(Span<long> values)
    {
        Invariant.Check(values.Length > 0, "a quorum has voters");
        values.Sort();
        return values[^Size(values.Length)];
    }
}
