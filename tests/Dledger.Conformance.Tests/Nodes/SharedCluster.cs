namespace Dledger.Conformance.Tests.Nodes;

/// <summary>Nodes that start when the first class of tests asks for them and end with the last.</summary>
internal sealed class SharedCluster(int nodeCount)
{
    private readonly SemaphoreSlim _turn = new(1);
    private NodeCluster? _cluster;
    private int _users;

    public async Task<NodeCluster> TakeAsync()
    {
        await _turn.WaitAsync();
        try
        {
            _cluster ??= await NodeCluster.StartAsync(nodeCount);
            _users++;
            return _cluster;
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task ReturnAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (--_users == 0)
            {
                await _cluster!.DisposeAsync();
                _cluster = null;
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
