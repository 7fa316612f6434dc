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
    private readonly Lock _lock = new();
    private readonly List<PeerDialer> _retired = [];
    private readonly Dictionary<NodeId, long> _lastSessions = [];
    private readonly Dictionary<NodeId, BulkDialer> _bulkDialers = [];

    // Replaced as a whole under the lock, so that senders need none.
    private Dictionary<NodeId, PeerDialer> _dialers = [];
    private PeerListener? _listener;
    private IPeerEvents? _events;
    private NodeId _self;
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
        _self = self;
        _events = events;
        _listener = new PeerListener(_options, _socket, self, events, _logger);
        _listener.Start();
        SetPeers(members);
    }

    /// <inheritdoc/>
    public void SetPeers(IReadOnlyList<ClusterMember> peers)
    {
        lock (_lock)
        {
            if (_isDisposed != 0)
            {
                return;
            }

            var wanted = peers.Where(peer => peer.Node != _self).ToDictionary(peer => peer.Node);
            var next = new Dictionary<NodeId, PeerDialer>();
            foreach (var (node, dialer) in _dialers)
            {
                if (wanted.ContainsKey(node))
                {
                    next.Add(node, dialer);
                    continue;
                }

                dialer.Stop("this node needs no connection to the other one any more");
                _lastSessions[node] = dialer.LastSession;
                _retired.RemoveAll(retired => retired.HasEnded);
                _retired.Add(dialer);
            }

            var added = new List<PeerDialer>();
            foreach (var (node, member) in wanted)
            {
                if (next.TryGetValue(node, out var dialer))
                {
                    dialer.Member = member;
                    continue;
                }

                dialer = new PeerDialer(
                    _options, _self, member, _events!, _time, _seed, _lastSessions.GetValueOrDefault(node), _logger);
                next.Add(node, dialer);
                added.Add(dialer);
            }

            Volatile.Write(ref _dialers, next);
            added.ForEach(dialer => dialer.Start());
        }
    }

    /// <inheritdoc/>
    public void Send(NodeId peer, PeerMessage message, IReadOnlyList<ReadOnlyMemory<byte>> range)
    {
        var connection = message.IsReply ? _listener?.Find(peer) : FindOutbound(peer);
        if (connection is not null && connection.Session == message.Session)
        {
            connection.Send(message, range);
        }
    }

    /// <inheritdoc/>
    public void Fetch(NodeId peer, BulkRequest request, Action<BulkReply?> completed)
    {
        if (FindBulk(peer) is { } dialer)
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
        lock (_lock)
        {
            foreach (var dialer in _dialers.Values)
            {
                dialer.Stop("this node stops");
            }

            foreach (var dialer in _bulkDialers.Values)
            {
                dialer.Stop();
            }
        }

        _socket.Dispose();

        // Joins threads on a thread of its own, never on one of the pool.
        await Task.Factory.StartNew(
            JoinThreads, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void JoinThreads()
    {
        _listener?.Join(JoinPatience);
        foreach (var dialer in _dialers.Values.Concat(_retired))
        {
            dialer.Join(JoinPatience);
        }

        foreach (var dialer in _bulkDialers.Values)
        {
            dialer.Join(JoinPatience);
        }
    }

    // Made when it is first needed; it dials wherever the peer is at that moment.
    private BulkDialer? FindBulk(NodeId peer)
    {
        lock (_lock)
        {
            if (_isDisposed != 0 || _events is null)
            {
                return null;
            }

            if (!_bulkDialers.TryGetValue(peer, out var dialer))
            {
                dialer = new BulkDialer(
                    _options,
                    _self,
                    peer,
                    () => Volatile.Read(ref _dialers).GetValueOrDefault(peer)?.Member,
                    _events,
                    _time,
                    _logger);
                _bulkDialers.Add(peer, dialer);
            }

            return dialer;
        }
    }

    private PeerConnection? FindOutbound(NodeId peer) => Volatile.Read(ref _dialers).GetValueOrDefault(peer)?.Connection;

    private IEnumerable<PeerConnection> All() => Volatile.Read(ref _dialers).Values
        .Select(dialer => dialer.Connection)
        .OfType<PeerConnection>()
        .Concat(_listener?.All ?? []);

    private IEnumerable<PeerConnection> FindAll(NodeId peer)
    {
        if (FindOutbound(peer) is { } outbound)
        {
            yield return outbound;
        }

        if (_listener?.Find(peer) is { } inbound)
        {
            yield return inbound;
        }
    }
}
