using Dledger.Broker.Proposals;
using Dledger.Replication;

namespace Dledger.Broker.StateMachine;

/// <summary>A look at the state on the apply loop: null where the node cannot answer.</summary>
internal abstract class StateQuery : IStateMachineRequest
{
    public abstract void Run(BrokerState state);

    /// <inheritdoc/>
    public abstract void Abandon(ProposalFailure failure);
}

/// <summary>A look whose answer a caller awaits.</summary>
internal sealed class StateQuery<TAnswer>(Func<BrokerState, TAnswer> look, Func<BrokerFailure, TAnswer> onFailure)
    : StateQuery
{
    private readonly TaskCompletionSource<TAnswer> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<TAnswer> Task => _completion.Task;

    /// <inheritdoc/>
    public override void Run(BrokerState state) => _completion.TrySetResult(look(state));

    /// <inheritdoc/>
    public override void Abandon(ProposalFailure failure) =>
        _completion.TrySetResult(onFailure(FailureMapping.Of(failure)));
}
