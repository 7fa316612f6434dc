namespace Dledger.Chaos.Checking;

/// <summary>One promise of the nodes, checked over a whole history. Stateless.</summary>
internal interface IInvariant
{
    /// <summary>Number in the list of invariants, I1..I22.</summary>
    string Id { get; }

    /// <summary>A few words.</summary>
    string Name { get; }

    /// <summary>A sentence for each breach; nothing when it holds.</summary>
    IEnumerable<string> Breaches(Observations seen);
}
