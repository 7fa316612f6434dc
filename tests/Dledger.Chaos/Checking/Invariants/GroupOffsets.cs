namespace Dledger.Chaos.Checking.Invariants;

/// <summary>The committed offset of a group never goes back between two questions that do not overlap.</summary>
internal sealed class GroupOffsets : IInvariant
{
    public string Id => "I17";

    public string Name => "group offset";

    public IEnumerable<string> Breaches(Observations seen)
    {
        var groups = seen.Operations
            .Where(operation => operation.End is { Function: "groupOffset", Phase: "ok", Offsets: not null })
            .GroupBy(operation => operation.End.Group);
        foreach (var group in groups)
        {
            var answers = group.SelectMany(operation => operation.End.Offsets!.Select(pair => (
                Queue: pair[0], Offset: pair[1], operation.Begin, End: operation.End.Time)));
            foreach (var queue in answers.GroupBy(answer => answer.Queue))
            {
                var byEnd = queue.OrderBy(answer => answer.End).ToList();
                var (highest, next) = (-1L, 0);
                foreach (var answer in queue.OrderBy(answer => answer.Begin))
                {
                    for (; next < byEnd.Count && byEnd[next].End < answer.Begin; next++)
                    {
                        highest = Math.Max(highest, byEnd[next].Offset);
                    }

                    if (answer.Offset < highest)
                    {
                        yield return $"{group.Key} stood at {highest} in queue {queue.Key} and later at {answer.Offset}";
                    }
                }
            }
        }
    }
}
