namespace Dledger.Chaos.Schedules;

/// <summary>The endless list of faults that a seed stands for: every kind once in a shuffled order, then again.</summary>
internal static class FaultPlan
{
    public static IEnumerable<PlannedFault> Of(ChaosOptions options)
    {
        var random = new Random(options.Seed);
        var kinds = options.Faults;
        while (kinds.Count > 0)
        {
            // Rounds keep the order in which the kinds were named.
            var order = kinds.ToArray();
            if (options.Rounds == 0)
            {
                random.Shuffle(order);
            }

            foreach (var kind in order)
            {
                yield return new PlannedFault(
                    kind,
                    random.Next(),
                    Between(random, kind.HoldMin, Min(kind.HoldMax, Max(options.HoldMax, kind.HoldMin))),
                    Between(random, options.Rest.Min, options.Rest.Max));
            }
        }
    }

    private static TimeSpan Between(Random random, TimeSpan min, TimeSpan max) => min + ((max - min) * random.NextDouble());

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
