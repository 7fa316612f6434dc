using Dledger.Primitives;
using Dledger.Replication;

namespace Dledger.Broker.Proposals;

/// <summary>A proposal that a caller awaits. Apply puts the outcome in, a failure makes one.</summary>
internal sealed class CallerProposal<TOutcome>(
    ReadOnlyMemory<byte> records, int recordCount, Func<BrokerFailure, TOutcome> onFailure)
    : BrokerProposal(records, recordCount)
{
    private readonly TaskCompletionSource<TOutcome> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TOutcome? _outcome;
    private bool _hasOutcome;

    public Task<TOutcome> Task => _completion.Task;

    /// <summary>Of several records, each of which has its outcome: what is told of the first ones and the next.</summary>
    public Func<TOutcome, TOutcome, TOutcome>? Merge { get; init; }

    /// <summary>Called on the apply loop.</summary>
    public void SetOutcome(TOutcome outcome)
    {
        _outcome = _hasOutcome && Merge is { } merge ? merge(_outcome!, outcome) : outcome;
        _hasOutcome = true;
    }

    /// <inheritdoc/>
    public override void Applied()
    {
        Invariant.Check(_hasOutcome, "an applied proposal has an outcome");
        _completion.TrySetResult(_outcome!);
    }

    /// <inheritdoc/>
    public override void Fail(ProposalFailure failure) =>
        _completion.TrySetResult(onFailure(FailureMapping.Of(failure)));
}
