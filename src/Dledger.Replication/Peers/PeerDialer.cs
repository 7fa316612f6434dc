using System.Net.Sockets;
using Dledger.Primitives;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Peers;

/// <summary>Keeps the outbound connection to one member open: dial, serve until it ends, wait, dial again.</summary>
/// <remarks>
/// Owns one thread, which is the sender of the connection; a second one receives while a connection is open.
/// </remarks>
internal sealed class PeerDialer
{
    private readonly TcpPeerTransportOptions _options;
    private ClusterMember _member;
    private readonly IPeerEvents _events;
    private readonly TimeProvider _time;
    private readonly Random _jitter;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly ManualResetEvent _stopped = new(false);
    private readonly Lock _lock = new();
    private PeerConnection? _connection;
    private Socket? _dialling;
    private bool _isStopped;
    private long _lastSession;
    private string? _lastFault;

    public PeerDialer(
        TcpPeerTransportOptions options,
        NodeId self,
        ClusterMember member,
        IPeerEvents events,
        TimeProvider time,
        ulong seed,
        long lastSession,
        ILogger logger)
    {
        _options = options;
        _member = member;
        _events = events;
        _time = time;
        _jitter = new Random(unchecked((int)(seed ^ (seed >> 32)) + (self.Value << 8) + member.Node.Value));
        _lastSession = lastSession;
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = $"dledger-dial-{self}-{member.Node}" };
    }

    /// <summary>The open connection, if there is one. Any thread.</summary>
    public PeerConnection? Connection => Volatile.Read(ref _connection);

    /// <summary>Number of the newest session; one that dials the same node later must go on from here.</summary>
    public long LastSession => Volatile.Read(ref _lastSession);

    /// <summary>The node, and where it is dialled next time. Any thread.</summary>
    public ClusterMember Member
    {
        get => Volatile.Read(ref _member);
        set => Volatile.Write(ref _member, value);
    }

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Ends the connection and the dialling. Any thread; does not wait.</summary>
    public void Stop(string reason)
    {
        lock (_lock)
        {
            _isStopped = true;
            _dialling?.Dispose();
            _connection?.Close(Raft.Peers.SessionCloseReason.Local, reason);
        }

        _stopped.Set();
    }

    /// <summary>Whether the thread is gone.</summary>
    public bool HasEnded => !_thread.IsAlive;

    /// <summary>Waits for the thread to end.</summary>
    public void Join(TimeSpan patience) => _thread.Join(patience);

    private void Run()
    {
        var delay = _options.RedialDelayMin;
        while (!_isStopped)
        {
            TimeSpan wait;
            try
            {
                var outcome = ServeOneConnection();
                delay = outcome == DialOutcome.Served ? _options.RedialDelayMin : delay;
                wait = outcome == DialOutcome.Refused ? _options.RefusedDelay : Jittered(delay);
            }
            catch (Exception fault) when (fault is SocketException or ObjectDisposedException or IOException)
            {
                NoteFault(fault.Message);
                wait = Jittered(delay);
            }
            catch (Exception fault)
            {
                // A fault of ours: this connection is lost, but the node lives as long as its loops do.
                ReplicationEvents.PeerThreadFailed(_logger, Member.Node, fault);
                wait = _options.RefusedDelay;
            }

            delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, _options.RedialDelayMax.Ticks));
            _stopped.WaitOne(wait);
        }
    }

    private DialOutcome ServeOneConnection()
    {
        using var socket = PeerSockets.Connect(Member, _options, NoteDialling);
        var reader = new SocketReader(socket);
        Volatile.Write(
            ref _lastSession, Math.Max(_lastSession + 1, _time.GetUtcNow().Ticks / TimeSpan.TicksPerMicrosecond));
        var introduction = PeerHandshake.Dial(
            socket, reader, Member.Node, _lastSession, PeerLane.Raft, _events, out var refusal);
        if (introduction is null)
        {
            NoteFault(refusal ?? "it does not speak the peer protocol");
            _events.DialRefused(Member.Node, refusal ?? "it does not speak the peer protocol");
            return DialOutcome.Refused;
        }

        socket.ReceiveTimeout = 0;
        socket.SendTimeout = 0;
        _lastFault = null;
        var connection = new PeerConnection(
            socket, reader, _options.Group, Member.Node, _lastSession, isOutbound: true);
        lock (_lock)
        {
            if (_isStopped)
            {
                return DialOutcome.Served;
            }

            _dialling = null;
            _connection = connection;
        }

        Serve(connection, introduction);
        return DialOutcome.Served;
    }

    private void Serve(PeerConnection connection, PeerIntroduction introduction)
    {
        ReplicationEvents.SessionOpened(_logger, Member.Node, connection.Session);
        _events.SessionOpened(connection.Session, introduction);
        var limits = new PeerMessageLimits(_options.AppendRangeBytesMax);
        var receiver = new Thread(() => ReceiveUntilClosed(connection, limits))
        {
            IsBackground = true,
            Name = $"dledger-replies-{Member.Node}",
        };
        receiver.Start();
        connection.RunSender();
        connection.Close(Raft.Peers.SessionCloseReason.Local, "the sender ended");
        receiver.Join();
        lock (_lock)
        {
            _connection = null;
        }

        ReplicationEvents.SessionClosed(_logger, Member.Node, connection.Session, connection.CloseDetail);
        _events.SessionClosed(Member.Node, connection.Session, connection.CloseReason);
    }

    private void ReceiveUntilClosed(PeerConnection connection, PeerMessageLimits limits)
    {
        try
        {
            connection.RunReceiver(limits, _events);
        }
        catch (Exception fault)
        {
            ReplicationEvents.PeerThreadFailed(_logger, Member.Node, fault);
            connection.Close(Raft.Peers.SessionCloseReason.Local, "the receiver failed");
        }
    }

    private void NoteDialling(Socket socket)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            _dialling = socket;
        }
    }

    private TimeSpan Jittered(TimeSpan delay) => delay * (0.5 + _jitter.NextDouble());

    // The same fault again and again is told once.
    private void NoteFault(string fault)
    {
        if (fault != _lastFault && !_isStopped)
        {
            _lastFault = fault;
            ReplicationEvents.DialFailed(_logger, Member.Node, Member.Host, Member.PeerPort, fault);
        }
    }

    private enum DialOutcome
    {
        Served,
        Refused,
    }
}
