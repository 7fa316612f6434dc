namespace Dledger.Frontend;

/// <summary>Tells long calls that the node is about to stop. Safe for any thread.</summary>
/// <remarks>A server that stops waits for its open calls, and telemetry streams never end by themselves.</remarks>
internal sealed class Draining : IDisposable
{
    private readonly CancellationTokenSource _source = new();

    /// <summary>Cancelled when the node drains.</summary>
    public CancellationToken Token => _source.Token;

    public void Begin() => _source.Cancel();

    public void Dispose() => _source.Dispose();
}
