using System.Diagnostics.CodeAnalysis;
using Dledger.Broker.Messages;

namespace Dledger.Broker.Receiving;

/// <summary>What a receive brought: messages, none in time, or a failure.</summary>
public sealed class ReceiveOutcome
{
    /// <summary>No message came in time.</summary>
    public static readonly ReceiveOutcome Empty = new(null, []);

    private RecordArena? _arena;

    private ReceiveOutcome(
        BrokerFailure? failure, IReadOnlyList<DeliveredMessage> messages, string? warning = null, RecordArena? arena = null)
    {
        _arena = arena;
        Warning = warning;
        Failure = failure;
        Messages = messages;
    }

    /// <summary>Null on success.</summary>
    public BrokerFailure? Failure { get; }

    /// <summary>Leased messages; empty when none came in time or on failure.</summary>
    public IReadOnlyList<DeliveredMessage> Messages { get; }

    /// <summary>What the client should know although the call worked; null for nothing.</summary>
    public string? Warning { get; }

    /// <summary>Whether the call worked, with or without messages.</summary>
    [MemberNotNullWhen(false, nameof(Failure))]
    public bool Succeeded => Failure is null;

    /// <summary>
    /// Gives the memory of the messages back, for a caller that asked so with <see cref="ReceiveRequest.ReturnsRecords"/>. They are not
    /// read any more; their receipt handles stay.
    /// </summary>
    public void Return()
    {
        if (_arena is not { } arena)
        {
            return;
        }

        _arena = null;
        for (var i = 0; i < Messages.Count; i++)
        {
            Messages[i].Forget();
        }

        arena.Return();
    }

    public static ReceiveOutcome Of(BrokerFailure failure) => new(failure, []);

    public static ReceiveOutcome Of(IReadOnlyList<DeliveredMessage> messages, string? warning = null) =>
        new(null, messages, warning);

    internal static ReceiveOutcome Of(IReadOnlyList<DeliveredMessage> messages, string? warning, RecordArena? arena) =>
        new(null, messages, warning, arena);
}
