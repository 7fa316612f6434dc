using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Replication.Peers;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dledger.Broker.Tests.Nodes;

/// <summary>A broker over the real log of a cluster of one, with real threads and a real directory.</summary>
internal sealed class DiskBroker : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"dledger-broker-{Guid.NewGuid():N}");
    private readonly BrokerOptions _options;
    private ReplicationNode? _log;
    private ulong _starts;

    public DiskBroker(BrokerOptions? options = null)
    {
        _options = options ?? new BrokerOptions { AutoCreateTopics = true };
        Directory.CreateDirectory(_directory);
    }

    public BrokerNode Node { get; private set; } = null!;

    public ReplicationNode Log => _log ?? throw new InvalidOperationException("the broker is not running");

    /// <summary>Starts it and waits until it serves.</summary>
    public async Task StartAsync()
    {
        _starts++;
        var disk = new PosixDisk(_directory);
        var options = new ReplicationOptions
        {
            Self = new NodeId(1),
            Members = [new ClusterMember(new NodeId(1), "localhost", 1)],
            Log = new CommitLogOptions { SegmentBytes = 64 << 20, SpareCount = 1, ZeroFillSpares = false },
        };
        Node = new BrokerNode(_options, disk, "", TimeProvider.System, NullLoggerFactory.Instance);
        _log = ReplicationNode.Start(
            options,
            disk,
            new NoPeerTransport(),
            Node.StateMachine,
            TimeProvider.System,
            _starts * 7919,
            NullLoggerFactory.Instance);
        Node.Attach(_log);
        await WaitAsync(() => Node.Status.IsServing, "the broker serves");
    }

    /// <summary>Stops it in order, which writes a checkpoint, or drops it.</summary>
    public async Task StopAsync()
    {
        if (_log is { } log)
        {
            _log = null;
            await log.StopAsync(CancellationToken.None);
            Node.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Waits for a condition; fails when it does not come true in time.</summary>
    public static async Task WaitAsync(Func<bool> condition, string what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        using var deadline = new CancellationTokenSource(Patience);
        while (!condition())
        {
            Assert.False(deadline.IsCancellationRequested, $"not in time: {what}");
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }
}
