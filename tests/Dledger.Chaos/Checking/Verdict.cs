namespace Dledger.Chaos.Checking;

/// <summary>The breaches of one invariant.</summary>
/// <param name="Id">Number of the invariant.</param>
/// <param name="Name">Its name.</param>
/// <param name="Count">All breaches.</param>
/// <param name="Examples">The first of them.</param>
internal sealed record Finding(string Id, string Name, int Count, IReadOnlyList<string> Examples);

/// <summary>What the checker says of a history.</summary>
/// <param name="Findings">Broken invariants.</param>
/// <param name="Voids">Reasons why the run proves nothing, whatever the findings.</param>
/// <param name="Forgiven">Losses that the flush mode allows.</param>
internal sealed record Verdict(IReadOnlyList<Finding> Findings, IReadOnlyList<string> Voids, int Forgiven)
{
    /// <summary><c>broken</c>, <c>void</c> or <c>held</c>.</summary>
    public string Word => Findings.Count > 0 ? "broken" : Voids.Count > 0 ? "void" : "held";
}
