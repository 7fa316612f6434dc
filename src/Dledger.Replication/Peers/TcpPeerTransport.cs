using System.Net;
using System.Net.Sockets;
using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Replication.Bulk;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Peers;

/// <summary>The peer protocol over TCP: framed messages, two connections per pair of nodes, blocking threads.</summary>
public sealed class TcpPeerTransport : IPeerTransport
{
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(2);

    private readonly TcpPeerTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly ulong _seed;
    private readonly ILogger _logger;
    private readonly Socket _socket;
    private PeerDialers? _dialers;
    private PeerListener? _listener;
    private int _isDisposed;

    /// <summary>Binds the port, so that a port in use is known before anything else starts.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public TcpPeerTransport(TcpPeerTransportOptions options, TimeProvider time, ulong seed, ILoggerFactory loggers)
    {
        _options = options;
        _time = time;
        _seed = seed;
        _logger = loggers.CreateLogger("Dledger.Replication.Peers");
        _socket = PeerSockets.Listen(options.ListenAddress, options.ListenPort);
        Port = ((IPEndPoint)_socket.LocalEndPoint!).Port;
    }

    /// <summary>The port that is listened on.</summary>
    public int Port { get; }

    /// <inheritdoc/>
    public void Start(NodeId self, IReadOnlyList<ClusterMember> members, IPeerEvents events)
    {
        Invariant.Check(_listener is null, "a transport starts once");
        _dialers = new PeerDialers(_options, self, events, _time, _seed, _logger);
        _listener = new PeerListener(_options, _socket, self, events, _logger);
        _listener.Start();
        _dialers.Set(members);
    }

    /// <inheritdoc/>
    public void SetPeers(IReadOnlyList<ClusterMember> peers) => _dialers?.Set(peers);

    /// <inheritdoc/>
    public void Send(NodeId peer, PeerMessage message, IReadOnlyList<ReadOnlyMemory<byte>> range)
    {
        var connection = message.IsReply ? _listener?.Find(peer) : _dialers?.Find(peer);
        if (connection is not null && connection.Session == message.Session)
        {
            connection.Send(message, range);
        }
    }

    /// <inheritdoc/>
    public void Fetch(NodeId peer, BulkRequest request, Action<BulkReply?> completed)
    {
        if (_dialers?.FindBulk(peer) is { } dialer)
        {
            dialer.Fetch(request, completed);
        }
        else
        {
            completed(null);
        }
    }

    /// <inheritdoc/>
    public void Close(NodeId peer, long session, string reason)
    {
        foreach (var connection in FindAll(peer))
        {
            if (connection.Session == session)
            {
                connection.Close(SessionCloseReason.Local, reason);
            }
        }
    }

    /// <inheritdoc/>
    public void CloseAll(string reason)
    {
        foreach (var connection in All())
        {
            connection.Close(SessionCloseReason.Local, reason);
        }
    }

    /// <inheritdoc/>
    public void Drain(TimeSpan patience)
    {
        foreach (var connection in All())
        {
            connection.WaitUntilDrained(patience);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        _listener?.Stop();
        _dialers?.Stop();
        _socket.Dispose();

        // Joins threads on a thread of its own, never on one of the pool.
        await Task.Factory.StartNew(
            JoinThreads, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void JoinThreads()
    {
        _listener?.Join(JoinPatience);
        _dialers?.Join(JoinPatience);
    }

    private IEnumerable<PeerConnection> All() => (_dialers?.Connections ?? []).Concat(_listener?.All ?? []);

    private IEnumerable<PeerConnection> FindAll(NodeId peer)
    {
        if (_dialers?.Find(peer) is { } outbound)
        {
            yield return outbound;
        }

        if (_listener?.Find(peer) is { } inbound)
        {
            yield return inbound;
        }
    }
}
