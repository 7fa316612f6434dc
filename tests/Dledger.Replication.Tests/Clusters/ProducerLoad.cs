using System.Collections.Concurrent;
using Dledger.Primitives;

namespace Dledger.Replication.Tests.Clusters;

/// <summary>Producers that propose to whoever leads, one message after the other, until they are stopped.</summary>
internal sealed class ProducerLoad : IAsyncDisposable
{
    private readonly TestCluster _cluster;
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _producers;

    public ProducerLoad(TestCluster cluster, int producerCount)
    {
        _cluster = cluster;
        _producers = [.. Enumerable.Range(0, producerCount).Select(ProduceAsync)];
    }

    public ConcurrentBag<(LogPosition Position, string Body)> Acked { get; } = [];

    /// <summary>Waits until so many more are acknowledged.</summary>
    public Task ProgressAsync(int count)
    {
        var enough = Acked.Count + count;
        return Eventually.TrueAsync(() => Acked.Count >= enough, "producers make progress", _cluster.Describe);
    }

    public async Task StopAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_producers);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _end.Dispose();
    }

    private async Task ProduceAsync(int id)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        for (var i = 0; !_end.IsCancellationRequested; i++)
        {
            var body = $"{id}/{i}";
            if (_cluster.FindLeader() is { Node: not null } leader
                && await TryProposeSafelyAsync(leader, body) is { Position: { } position })
            {
                Acked.Add((position, body));
            }
            else
            {
                await pause.WaitForNextTickAsync(CancellationToken.None);
            }
        }
    }

    // The node may be dropped between the look-up and the call.
    private static async Task<ProposalOutcome?> TryProposeSafelyAsync(TestNode node, string body)
    {
        try
        {
            return await TestCluster.TryProposeAsync(node, body);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
