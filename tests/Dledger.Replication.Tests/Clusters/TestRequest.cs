namespace Dledger.Replication.Tests.Clusters;

/// <summary>A request that says whether it was handled or abandoned.</summary>
internal sealed class TestRequest : IStateMachineRequest
{
    private readonly TaskCompletionSource<bool> _handled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<bool> Handled => _handled.Task;

    public void Handle() => _handled.SetResult(true);

    public void Abandon(ProposalFailure failure) => _handled.SetResult(false);
}
