using System.Diagnostics.CodeAnalysis;

namespace Dledger.Broker.Messages;

/// <summary>What became of a batch: all of it was appended, in order, to one queue, or none of it.</summary>
public sealed class AppendOutcome
{
    private AppendOutcome(BrokerFailure? failure, IReadOnlyList<AppendedMessage> messages)
    {
        Failure = failure;
        Messages = messages;
    }

    /// <summary>Null on success.</summary>
    public BrokerFailure? Failure { get; }

    /// <summary>One entry per draft, in order; empty on failure.</summary>
    public IReadOnlyList<AppendedMessage> Messages { get; }

    /// <summary>Whether the batch is in the log.</summary>
    [MemberNotNullWhen(false, nameof(Failure))]
    public bool Succeeded => Failure is null;

    public static AppendOutcome Of(BrokerFailure failure) => new(failure, []);

    public static AppendOutcome Of(IReadOnlyList<AppendedMessage> messages) => new(null, messages);
}
