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
    private readonly Dictionary<NodeId, PeerDialer> _dialers = [];
    private readonly Dictionary<NodeId, BulkDialer> _bulkDialers = [];
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
        foreach (var member in members.Where(member => member.Node != self))
        {
            _dialers.Add(member.Node, new PeerDialer(_options, self, member, events, _time, _seed, _logger));
            _bulkDialers.Add(member.Node, new BulkDialer(_options, self, member, events, _time, _logger));
        }

        _listener = new PeerListener(_options, _socket, self, events, _logger);
        _listener.Start();
        foreach (var dialer in _dialers.Values)
        {
            dialer.Start();
        }
    }

    /// <inheritdoc/>
    public void Send(NodeId peer, PeerMessage message, IReadOnlyList<ReadOnlyMemory<byte>> range)
    {
        var connection = message.IsReply ? _listener?.Find(peer) : _dialers.GetValueOrDefault(peer)?.Connection;
        if (connection is not null && connection.Session == message.Session)
        {
            connection.Send(message, range);
        }
    }

    /// <inheritdoc/>
    public void Fetch(NodeId peer, BulkRequest request, Action<BulkReply?> completed)
    {
        if (_bulkDialers.TryGetValue(peer, out var dialer))
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
        foreach (var connection in _dialers.Keys.SelectMany(FindAll))
        {
            connection.Close(SessionCloseReason.Local, reason);
        }
    }

    /// <inheritdoc/>
    public void Drain(TimeSpan patience)
    {
        foreach (var connection in _dialers.Keys.SelectMany(FindAll))
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
        foreach (var dialer in _dialers.Values)
        {
            dialer.Stop();
        }

        foreach (var dialer in _bulkDialers.Values)
        {
            dialer.Stop();
        }

        _socket.Dispose();

        // Joins threads on a thread of its own, never on one of the pool.
        await Task.Factory.StartNew(
            JoinThreads, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void JoinThreads()
    {
        _listener?.Join(JoinPatience);
        foreach (var dialer in _dialers.Values)
        {
            dialer.Join(JoinPatience);
        }

        foreach (var dialer in _bulkDialers.Values)
        {
            dialer.Join(JoinPatience);
        }
    }

    private IEnumerable<PeerConnection> FindAll(NodeId peer)
    {
        if (_dialers.GetValueOrDefault(peer)?.Connection is { } outbound)
        {
            yield return outbound;
        }

        if (_listener?.Find(peer) is { } inbound)
        {
            yield return inbound;
        }
    }
}
