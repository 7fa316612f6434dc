namespace Dledger.Broker.Retention;

/// <summary>What one look at the topics may still cost, so that the apply loop is not held up.</summary>
/// <param name="LogReads">Reads of single records, perhaps of cold parts of the disk.</param>
/// <param name="IndexEntries">Entries of queue indexes, 204 of them in one read.</param>
internal readonly record struct RetentionBudget(int LogReads, int IndexEntries)
{
    /// <summary>A second's worth: some milliseconds on a disk that seeks.</summary>
    public static readonly RetentionBudget OfOneLook = new(64, 20_480);

    /// <summary>Nothing is left of one kind or the other.</summary>
    public bool IsUsedUp => LogReads <= 0 || IndexEntries <= 0;
}
