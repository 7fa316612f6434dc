namespace Dledger.Broker.Transactions;

/// <summary>Which transactions to list.</summary>
/// <param name="Topic">Of one topic; null: of all.</param>
/// <param name="Discarded">The discarded ones instead of the open ones.</param>
/// <param name="After">Goes on behind this transaction id; null: from the start.</param>
/// <param name="CountMax">At most so many; 1 to <see cref="CountLimit"/>.</param>
public sealed record TransactionSelection(string? Topic, bool Discarded, string? After, int CountMax)
{
    /// <summary>Most transactions of one list.</summary>
    public const int CountLimit = 1_000;
}
