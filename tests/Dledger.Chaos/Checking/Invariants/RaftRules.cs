namespace Dledger.Chaos.Checking.Invariants;

/// <summary>At most one leader a term; terms of a node never go back, across restarts either; commit positions of a node do
/// not go back within one life.</summary>
internal sealed class RaftRules : IInvariant
{
    public string Id => "I20";

    public string Name => "Raft";

    public IEnumerable<string> Breaches(Observations seen)
    {
        var leaders = new Dictionary<long, int>();
        var terms = new Dictionary<int, long>();
        var commits = new Dictionary<(int Node, int Life), long>();

        // A passive node takes no part; one that has lost its directory has no term either.
        foreach (var entry in seen.History.Entries.Where(
            entry => entry is { Function: "node", Term: not null, Event: not "passive" }))
        {
            var (node, term) = (entry.Node!.Value, entry.Term!.Value);
            if (entry.Event == "leader" && !leaders.TryAdd(term, node) && leaders[term] != node)
            {
                yield return $"nodes {leaders[term]} and {node} both led in term {term}";
            }

            if (term < terms.GetValueOrDefault(node))
            {
                yield return $"node {node} went back from term {terms[node]} to {term}";
            }

            terms[node] = term;
            var life = (node, entry.Life ?? 0);
            if (entry.Commit < commits.GetValueOrDefault(life))
            {
                yield return $"node {node} went back from commit {commits[life]} to {entry.Commit}";
            }

            commits[life] = entry.Commit ?? 0;
        }
    }
}
