using System.Net;
using System.Net.Sockets;
using Dledger.Primitives;
using Dledger.Raft.Peers;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Peers;

/// <summary>Accepts the connections that the other members open. One thread accepts; each connection has two, one for bulk data
/// has one.</summary>
/// <remarks>
/// A stranger costs a thread and 64 KiB until its handshake is refused or times out; the number of handshakes at a time
/// is bounded. A member that dials again replaces its older connection.
/// </remarks>
internal sealed class PeerListener
{
    private readonly TcpPeerTransportOptions _options;
    private readonly IPeerEvents _events;
    private readonly ILogger _logger;
    private readonly Socket _listener;
    private readonly NodeId _self;
    private readonly Thread _thread;
    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, PeerConnection> _connections = [];
    private readonly Dictionary<NodeId, BulkConnection> _bulkConnections = [];
    private readonly HashSet<Socket> _handshakes = [];
    private readonly CountdownEvent _running = new(1);
    private bool _isStopped;

    public PeerListener(
        TcpPeerTransportOptions options, Socket listener, NodeId self, IPeerEvents events, ILogger logger)
    {
        _options = options;
        _listener = listener;
        _self = self;
        _events = events;
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = $"dledger-accept-{self}" };
    }

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>The newest connection that a member opened, if it is still there. Any thread.</summary>
    public PeerConnection? Find(NodeId peer)
    {
        lock (_lock)
        {
            return _connections.GetValueOrDefault(peer);
        }
    }

    /// <summary>All connections that were opened to this node. Any thread.</summary>
    public IReadOnlyList<PeerConnection> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _connections.Values];
            }
        }
    }

    /// <summary>Closes everything. Any thread; does not wait.</summary>
    public void Stop()
    {
        PeerConnection[] connections;
        BulkConnection[] bulkConnections;
        Socket[] handshakes;
        lock (_lock)
        {
            if (_isStopped)
            {
                return;
            }

            _isStopped = true;
            connections = [.. _connections.Values];
            bulkConnections = [.. _bulkConnections.Values];
            handshakes = [.. _handshakes];
        }

        _listener.Dispose();
        foreach (var socket in handshakes)
        {
            socket.Dispose();
        }

        foreach (var connection in bulkConnections)
        {
            connection.Dispose();
        }

        foreach (var connection in connections)
        {
            connection.Close(SessionCloseReason.Local, "this node stops");
        }

        _running.Signal();
    }

    /// <summary>Waits for all threads to end.</summary>
    public void Join(TimeSpan patience)
    {
        _running.Wait(patience);
        _thread.Join(patience);
    }

    private void Run()
    {
        while (!_isStopped)
        {
            try
            {
                var socket = _listener.Accept();
                if (!TryBegin(socket))
                {
                    socket.Dispose();
                }
            }
            catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
            {
                if (!_isStopped)
                {
                    // Out of descriptors, or the dialler gave up: later ones may succeed.
                    ReplicationEvents.AcceptFailed(_logger, fault.Message);
                    _running.Wait(_options.RedialDelayMax);
                }
            }
        }
    }

    private bool TryBegin(Socket socket)
    {
        lock (_lock)
        {
            if (_isStopped || _handshakes.Count >= _options.HandshakeCountMax || !_running.TryAddCount())
            {
                return false;
            }

            _handshakes.Add(socket);
        }

        new Thread(() => ServeAndForget(socket)) { IsBackground = true, Name = "dledger-requests" }.Start();
        return true;
    }

    private void ServeAndForget(Socket socket)
    {
        try
        {
            Serve(socket);
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            ReplicationEvents.ConnectionRefused(_logger, "unknown", fault.Message);
        }
        catch (Exception fault)
        {
            ReplicationEvents.PeerThreadFailed(_logger, NodeId.None, fault);
        }
        finally
        {
            socket.Dispose();
            lock (_lock)
            {
                _handshakes.Remove(socket);
            }

            _running.Signal();
        }
    }

    private void Serve(Socket socket)
    {
        PeerSockets.Tune(socket, _options.UnacknowledgedMax);
        socket.ReceiveTimeout = (int)_options.HandshakeMax.TotalMilliseconds;
        socket.SendTimeout = (int)_options.HandshakeMax.TotalMilliseconds;
        var remote = (socket.RemoteEndPoint as IPEndPoint)?.ToString() ?? "unknown";
        var reader = new SocketReader(socket);
        var introduction = PeerHandshake.Accept(
            socket, reader, _events, out var session, out var lane, out var refusal);
        if (introduction is null)
        {
            ReplicationEvents.ConnectionRefused(_logger, remote, refusal ?? "");
            return;
        }

        if (lane == PeerLane.Bulk)
        {
            ServeBulk(socket, new BulkConnection(socket, reader, _options.Group, introduction.Node, session));
            return;
        }

        socket.ReceiveTimeout = 0;
        socket.SendTimeout = 0;
        var connection = new PeerConnection(
            socket, reader, _options.Group, introduction.Node, session, isOutbound: false);
        if (TryRegister(socket, connection))
        {
            ServeConnection(connection);
        }
    }

    private void ServeBulk(Socket socket, BulkConnection connection)
    {
        BulkConnection? older;
        lock (_lock)
        {
            _handshakes.Remove(socket);
            if (_isStopped)
            {
                return;
            }

            older = _bulkConnections.GetValueOrDefault(connection.Peer);
            _bulkConnections[connection.Peer] = connection;
        }

        older?.Dispose();
        try
        {
            connection.Run(_self, _events);
        }
        finally
        {
            lock (_lock)
            {
                if (_bulkConnections.GetValueOrDefault(connection.Peer) == connection)
                {
                    _bulkConnections.Remove(connection.Peer);
                }
            }
        }
    }

    private bool TryRegister(Socket socket, PeerConnection connection)
    {
        PeerConnection? older;
        lock (_lock)
        {
            _handshakes.Remove(socket);
            if (_isStopped)
            {
                return false;
            }

            older = _connections.GetValueOrDefault(connection.Peer);
            _connections[connection.Peer] = connection;
        }

        older?.Close(SessionCloseReason.Local, "the peer opened a newer connection");
        return true;
    }

    private void ServeConnection(PeerConnection connection)
    {
        var sender = new Thread(() => SendUntilClosed(connection))
        {
            IsBackground = true,
            Name = $"dledger-replies-to-{connection.Peer}",
        };
        sender.Start();
        try
        {
            connection.RunReceiver(new PeerMessageLimits(_options.AppendRangeBytesMax), _events);
        }
        finally
        {
            connection.Close(SessionCloseReason.Local, "the receiver ended");
            sender.Join();
            lock (_lock)
            {
                if (_connections.GetValueOrDefault(connection.Peer) == connection)
                {
                    _connections.Remove(connection.Peer);
                }
            }

            ReplicationEvents.InboundSessionClosed(
                _logger, connection.Peer, connection.Session, connection.CloseDetail);
            _events.InboundSessionClosed(connection.Peer, connection.Session, connection.CloseReason);
        }
    }

    private void SendUntilClosed(PeerConnection connection)
    {
        try
        {
            connection.RunSender();
        }
        catch (Exception fault)
        {
            ReplicationEvents.PeerThreadFailed(_logger, connection.Peer, fault);
            connection.Close(SessionCloseReason.Local, "the sender failed");
        }
    }
}
