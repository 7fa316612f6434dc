using System.Diagnostics.CodeAnalysis;
using Dledger.Broker.Messages;
using Dledger.Broker.Streaming;

namespace Dledger.Broker.Receiving;

/// <summary>What a receive brought: messages, none in time, or a failure.</summary>
public sealed class ReceiveOutcome
{
    /// <summary>No message came in time.</summary>
    public static readonly ReceiveOutcome Empty = new(null, []);

    private readonly IReadOnlyList<(int First, PackedBatch Batch)> _batches;
    private RecordArena? _arena;

    private ReceiveOutcome(
        BrokerFailure? failure,
        IReadOnlyList<DeliveredMessage> messages,
        string? warning = null,
        RecordArena? arena = null,
        IReadOnlyList<(int First, PackedBatch Batch)>? batches = null)
    {
        _arena = arena;
        _batches = batches ?? [];
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

        foreach (var (_, batch) in _batches)
        {
            batch.Return();
        }

        arena.Return();
    }

    /// <summary>Fills a slice with the records. To be called before <see cref="Return"/>.</summary>
    public void CopyTo(RecordSlice slice)
    {
        slice.Clear();
        var batch = 0;
        for (var i = 0; i < Messages.Count;)
        {
            if (batch < _batches.Count && _batches[batch].First == i)
            {
                slice.Add(_batches[batch].Batch, Messages, i);
                i += _batches[batch++].Batch.Table.Count;
                continue;
            }

            slice.Add(Messages[i++]);
        }
    }

    public static ReceiveOutcome Of(BrokerFailure failure) => new(failure, []);

    public static ReceiveOutcome Of(IReadOnlyList<DeliveredMessage> messages, string? warning = null) =>
        new(null, messages, warning);

    internal static ReceiveOutcome Of(
        IReadOnlyList<DeliveredMessage> messages,
        string? warning,
        RecordArena? arena,
        IReadOnlyList<(int First, PackedBatch Batch)> batches) =>
        new(null, messages, warning, arena, batches);
}
