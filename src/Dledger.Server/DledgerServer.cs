using System.Security.Cryptography;
using Dledger.Broker;
using Dledger.Frontend;
using Dledger.Replication;
using Dledger.Server.Listening;
using Dledger.Server.Options;
using Microsoft.Extensions.Logging;

namespace Dledger.Server;

/// <summary>A whole node: disk, replicated log, broker, front end and client port.</summary>
/// <remarks>
/// Started in that order and stopped in the reverse one, so that nobody is served by a part whose base is gone. Safe
/// for any thread. A node that cannot go on ends <see cref="Completion"/> with a fault; the process should then end,
/// too, because what it knew may no longer be true.
/// </remarks>
public sealed class DledgerServer : IAsyncDisposable
{
    /// <summary>How long a leader that stops looks for a successor.</summary>
    private static readonly TimeSpan TransferTimeMax = TimeSpan.FromSeconds(3);

    private readonly ServerOptions _options;
    private readonly ReplicationNode _node;
    private readonly BrokerNode _broker;
    private readonly ClientListener _listener;
    private readonly Lazy<ClientFrontend> _frontend;
    private readonly LeaderRehearsal _rehearsal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lazy<Task> _stop;
    private readonly TaskCompletionSource<ServerExit> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task _rehearsed = Task.CompletedTask;

    private DledgerServer(
        ServerOptions options,
        ReplicationNode node,
        BrokerNode broker,
        ClientListener listener,
        Lazy<ClientFrontend> frontend,
        TimeProvider time,
        ILogger logger)
    {
        _options = options;
        _node = node;
        _broker = broker;
        _listener = listener;
        _frontend = frontend;
        _time = time;
        _logger = logger;
        _rehearsal = new LeaderRehearsal(options, time, logger);
        _stop = new Lazy<Task>(() => Task.Run(StopOnceAsync));
    }

    /// <summary>The bound client port.</summary>
    public int ClientPort => _listener.Port;

    /// <summary>Where clients are told to go, host:port.</summary>
    public string ClientAddress => AdvertisedAddress.NodesOf(_options, ClientPort)
        .Single(node => node.Id == _options.NodeId).ClientAddress;

    /// <summary>What this node is in its cluster.</summary>
    public ReplicationStatus Status => _node.Status;

    /// <summary>Ends when the node has stopped, by a call or by a fault; never fails.</summary>
    public Task<ServerExit> Completion => _completion.Task;

    internal BrokerNode Broker => _broker;

    /// <summary>Starts a node. On failure everything that was opened is closed again.</summary>
    /// <param name="options">Checked before anything is opened.</param>
    /// <param name="loggers">Where the events go; stays the caller's.</param>
    /// <param name="time">Clock; null: the system's.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    /// <exception cref="ServerOptionsException">The options have problems.</exception>
    /// <exception cref="DataDirectoryException">The data directory is in use, damaged, or of another node or cluster.
    /// </exception>
    /// <exception cref="ListenException">The client port cannot be opened.</exception>
    public static async Task<DledgerServer> StartAsync(
        ServerOptions options,
        ILoggerFactory loggers,
        TimeProvider? time = null,
        CancellationToken cancellationToken = default) =>
        await StartAsync(options, static frontend => frontend, loggers, time ?? TimeProvider.System, cancellationToken);

    /// <summary>As above, with a switch that changes what the loggers let through; clients may then turn it.</summary>
    public static async Task<DledgerServer> StartAsync(
        ServerOptions options,
        ILoggerFactory loggers,
        LogLevels levels,
        TimeProvider? time = null,
        CancellationToken cancellationToken = default) => await StartAsync(
            options, frontend => frontend with { LogLevels = levels }, loggers, time ?? TimeProvider.System, cancellationToken);

    /// <summary>Stops in good order: clients are sent away, the leadership is handed over, calls under way end, the log
    /// is closed. Repeated calls wait for the first.</summary>
    public Task StopAsync() => _stop.Value;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();

    /// <summary>As the public one, with a last word on the options of the front end, for tests.</summary>
    internal static async Task<DledgerServer> StartAsync(
        ServerOptions options,
        Func<FrontendOptions, FrontendOptions> adjust,
        ILoggerFactory loggers,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var problems = options.Validate();
        if (problems.Count > 0)
        {
            throw new ServerOptionsException(problems);
        }

        var disk = NodeComposition.OpenDisk(options);
        var broker = NodeComposition.CreateBroker(options, disk, time, loggers);
        ReplicationNode? node = null;
        ClientListener? listener = null;
        try
        {
            var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
            node = NodeComposition.StartReplication(options, disk, broker.StateMachine, time, seed, loggers);
            broker.Attach(node);

            // The front end tells clients the bound port, which exists only when the port is open.
            var log = node;
            var boundPort = 0;
            var frontend = new Lazy<ClientFrontend>(() => new ClientFrontend(
                broker, log, adjust(NodeComposition.FrontendOptionsOf(options, boundPort)), time, loggers));
            listener = await ClientListener.StartAsync(
                options,
                AdvertisedAddress.HostOf(options),
                port =>
                {
                    boundPort = port;
                    return frontend.Value;
                },
                time,
                loggers,
                cancellationToken);
            boundPort = listener.Port;
            _ = frontend.Value;
            var logger = loggers.CreateLogger("Dledger.Server");
            var server = new DledgerServer(options, node, broker, listener, frontend, time, logger);
            ServerEvents.Started(
                logger, options.NodeId, $"{options.Client.ListenAddress}:{listener.Port}", server.ClientAddress);
            _ = server.WatchAsync();
            server.Rehearse();
            return server;
        }
        catch
        {
            if (listener is not null)
            {
                await listener.DisposeAsync();
            }

            if (node is not null)
            {
                await node.DisposeAsync();
            }

            broker.Dispose();
            throw;
        }
    }

    // A node that is alone leads at once.
    private void Rehearse()
    {
        if (_options.Nodes.Count > 1)
        {
            _rehearsed = Task.Run(_rehearsal.RunAsync);
        }
    }

    /// <summary>Ends the server when its log ends by itself.</summary>
    private async Task WatchAsync()
    {
        var exit = await _node.Completion;
        if (exit.IsFault)
        {
            ServerEvents.Faulted(_logger, _options.NodeId, exit.Reason);
            _completion.TrySetResult(new ServerExit(true, exit.Reason));
        }

        await StopAsync();
    }

    private async Task StopOnceAsync()
    {
        ServerEvents.Stopping(_logger, _options.NodeId);
        _rehearsal.Stop();
        var exit = new ServerExit(true, "the node did not stop in good order; see the log");
        try
        {
            // While calls under way still come in, so that they find the successor through this node.
            _frontend.Value.Drain();
            await HandOverAsync();
            await CloseListenerAsync();
            await _node.StopAsync(CancellationToken.None);
            await _listener.DisposeAsync();
            _frontend.Value.Dispose();
            _broker.Dispose();
            await _rehearsed;
            var ended = await _node.Completion;
            exit = new ServerExit(ended.IsFault, ended.Reason);
        }
        finally
        {
            ServerEvents.Stopped(_logger, _options.NodeId, exit.Reason);
            _completion.TrySetResult(exit);
        }
    }

    private async Task CloseListenerAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(_options.Limits.DrainMax, _time);
            await _listener.StopAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            ServerEvents.CallsCutOff(_logger, _options.Limits.DrainMax);
        }
    }

    private async Task HandOverAsync()
    {
        if (_node.Status.Members.Count < 2 || _node.Status.Role != ReplicationRole.Leader)
        {
            return;
        }

        try
        {
            using var limit = new CancellationTokenSource(TransferTimeMax, _time);
            if (!await _node.TransferLeadershipAsync(null, limit.Token))
            {
                ServerEvents.TransferFailed(_logger, "no other node was ready");
            }
        }
        catch (OperationCanceledException)
        {
            ServerEvents.TransferFailed(_logger, $"nobody took over within {TransferTimeMax}");
        }
    }
}
