namespace Dledger.Benchmarks.Servers;

/// <summary>Three nodes of one system on loopback with fresh directories; processes and directories are gone on dispose.</summary>
internal interface IServerCluster : IAsyncDisposable
{
    /// <summary>The nodes themselves, without what they start beside them.</summary>
    IReadOnlyList<ServerProcess> Nodes { get; }
}
