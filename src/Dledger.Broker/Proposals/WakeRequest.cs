using Dledger.Replication;

namespace Dledger.Broker.Proposals;

/// <summary>Makes the apply loop look at its <see cref="LeaderInbox"/>.</summary>
internal sealed class WakeRequest : IStateMachineRequest
{
    public static readonly WakeRequest Instance = new();

    private WakeRequest()
    {
    }

    /// <inheritdoc/>
    public void Abandon(ProposalFailure failure)
    {
        // Nothing waits for it: a stopped loop has nothing left to look at.
    }
}
