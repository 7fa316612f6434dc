using System.Diagnostics.CodeAnalysis;

namespace Dledger.Broker.Messages;

/// <summary>
/// What became of a batch. What is new of it was appended, in order, to one queue. Messages that an earlier call stored count as
/// stored; a refusal of a numbered message concerns only that one, every other refusal the whole batch.
/// </summary>
public sealed class AppendOutcome
{
    private AppendOutcome(BrokerFailure? failure, IReadOnlyList<AppendEntry> entries)
    {
        Failure = failure;
        Entries = entries;
    }

    /// <summary>Null on success, else the first refusal.</summary>
    public BrokerFailure? Failure { get; }

    /// <summary>One per draft, in order; empty when the batch was refused as a whole.</summary>
    public IReadOnlyList<AppendEntry> Entries { get; }

    /// <summary>One per draft, in order; empty when any was refused.</summary>
    public IReadOnlyList<AppendedMessage> Messages => Succeeded ? [.. Entries.Select(entry => entry.Message)] : [];

    /// <summary>Whether every message of the batch is in the log.</summary>
    [MemberNotNullWhen(false, nameof(Failure))]
    public bool Succeeded => Failure is null;

    public static AppendOutcome Of(BrokerFailure failure) => new(failure, []);

    public static AppendOutcome Of(IReadOnlyList<AppendEntry> entries)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            if (entries[i].Failure is { } failure)
            {
                return new AppendOutcome(failure, entries);
            }
        }

        return new AppendOutcome(null, entries);
    }
}
