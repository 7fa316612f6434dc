namespace Dledger.Chaos.Features;

/// <summary>All features that have rounds.</summary>
internal static class FeatureCatalogue
{
    public static readonly IReadOnlyList<IFeature> All =
    [
        new OrderedGroups(),
        new Retries(),
        new DeadLetterOnRequest(),
        new RepeatedAttempt(),
        new TagFilters(),
        new SqlFilters(),
        new DelayedMessages(),
        new Recalls(),
        new Transactions(),
        new Quotas(),
        new BroadcastGroups(),
        new Replays(),
        new Routes(),
        new ProcessedKeys(),
        new PriorityTopics(),
        new LiteTopics(),
        new RepeatedSends(),
        new ParkedMessages(),
        new ResentLetters(),
        new AtMostOnceGroups(),
        new Seeks(),
        new PausedGroups(),
        new ExclusiveGroups(),
        new TimesToLive(),
        new PendingMessages(),
        new TransactionBatches(),
        new DeletedLiteTopics(),
        new Streams(),
    ];

    /// <summary>Those named; all when none is.</summary>
    /// <exception cref="ChaosException">A name is none of them.</exception>
    public static IReadOnlyList<IFeature> Named(string? names) => string.IsNullOrEmpty(names)
        ? All
        : [.. names.Split(',').Select(name => All.FirstOrDefault(feature => feature.Name == name)
            ?? throw new ChaosException($"'{name}' is none of {string.Join(", ", All.Select(feature => feature.Name))}"))];
}
