namespace Dledger.Replication;

/// <summary>A request that the apply loop hands to <see cref="IStateMachine.Handle"/>, between two frames.</summary>
/// <remarks>
/// An object, not a delegate, so that the state machine dispatches by type and a request can be pooled.
/// </remarks>
public interface IStateMachineRequest
{
    /// <summary>
    /// The node stops or has failed and the request will never be handled. Called at most once, instead of
    /// <see cref="IStateMachine.Handle"/>, on any thread; it must not block.
    /// </summary>
    void Abandon(ProposalFailure failure);
}
