using System.Net.Sockets;
using Dledger.Primitives;
using Dledger.Replication.Bulk;
using Microsoft.Extensions.Logging;

namespace Dledger.Replication.Peers;

/// <summary>Asks one node for bulk data over a connection of its own, one request after the other.</summary>
/// <remarks>
/// The connection and its thread exist while there is something to ask and a few seconds longer. Every request ends in one call
/// of its completion, on that thread: with null when no answer came.
/// </remarks>
internal sealed class BulkDialer(
    TcpPeerTransportOptions options,
    NodeId self,
    NodeId peer,
    Func<ClusterMember?> place,
    IPeerEvents events,
    TimeProvider time,
    ILogger logger)
{
    private const int WaitingCountMax = 64;

    private static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(20);

    private readonly Lock _lock = new();
    private readonly Queue<Waiting> _waiting = new();
    private readonly AutoResetEvent _arrived = new(false);
    private readonly CountdownEvent _running = new(1);
    private Socket? _socket;
    private SocketReader? _reader;
    private long _session;
    private bool _hasThread;
    private bool _isStopped;

    /// <summary>Queues a request. Any thread.</summary>
    public void Fetch(BulkRequest request, Action<BulkReply?> completed)
    {
        lock (_lock)
        {
            if (!_isStopped && _waiting.Count < WaitingCountMax)
            {
                _waiting.Enqueue(new Waiting(request, completed));
                if (!_hasThread)
                {
                    _hasThread = true;
                    _running.AddCount();
                    new Thread(Run) { IsBackground = true, Name = $"dledger-bulk-{self}-{peer}" }.Start();
                }

                _arrived.Set();
                return;
            }
        }

        completed(null);
    }

    /// <summary>Ends the connection; what waits completes with null. Any thread; does not wait.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            if (_isStopped)
            {
                return;
            }

            _isStopped = true;
            _socket?.Dispose();
        }

        _arrived.Set();
        _running.Signal();
    }

    /// <summary>Waits for the thread to end.</summary>
    public void Join(TimeSpan patience) => _running.Wait(patience);

    private void Run()
    {
        while (TryTake(out var next))
        {
            next.Completed(Ask(next.Request));
        }

        Hangup();
        _running.Signal();
    }

    // The thread ends when nothing was asked for a while, and says so under the lock under which a request would start another.
    private bool TryTake(out Waiting next)
    {
        while (true)
        {
            lock (_lock)
            {
                if (_waiting.TryDequeue(out next))
                {
                    return true;
                }

                if (_isStopped)
                {
                    return false;
                }
            }

            if (_arrived.WaitOne(IdleMax))
            {
                continue;
            }

            lock (_lock)
            {
                if (_waiting.Count == 0)
                {
                    _hasThread = false;
                    return false;
                }
            }
        }
    }

    private BulkReply? Ask(BulkRequest request)
    {
        try
        {
            if (_socket is null && !TryConnect())
            {
                return null;
            }

            SendAll(BulkCodec.Write(request, options.Group, self, _session));
            var reply = ReadReply();
            if (reply is null)
            {
                Hangup();
            }

            return reply;
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            Hangup();
            return null;
        }
        catch (Exception fault)
        {
            // A fault of ours: the request is lost, but the node lives as long as its loops do.
            ReplicationEvents.PeerThreadFailed(logger, peer, fault);
            Hangup();
            return null;
        }
    }

    private bool TryConnect()
    {
        if (place() is not { } member)
        {
            return false;
        }

        var socket = PeerSockets.Connect(member, options, Keep);
        _reader = new SocketReader(socket);
        _session = Math.Max(_session + 1, time.GetUtcNow().Ticks / TimeSpan.TicksPerMicrosecond);
        if (PeerHandshake.Dial(socket, _reader, peer, _session, PeerLane.Bulk, events, out _) is null)
        {
            Hangup();
            return false;
        }

        socket.ReceiveTimeout = (int)AnswerMax.TotalMilliseconds;
        socket.SendTimeout = (int)AnswerMax.TotalMilliseconds;
        return true;
    }

    private void Keep(Socket socket)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            _socket = socket;
        }
    }

    private BulkReply? ReadReply()
    {
        var bytes = _reader!.ReadSmall(PeerMessageHeader.Length);
        if (bytes.IsEmpty
            || !PeerMessageHeader.TryParse(bytes.Span, out var header, out _)
            || header.Type != PeerMessageType.BulkReply
            || header.Sender != peer
            || header.Session != _session
            || header.BodyLength > BulkLimits.ReplyBytesMax(options.AppendRangeBytesMax))
        {
            return null;
        }

        var body = GC.AllocateUninitializedArray<byte>(header.BodyLength);
        return _reader.TryFill(body) ? BulkCodec.TryReadReply(body) : null;
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket!.Send(bytes)..];
        }
    }

    private void Hangup()
    {
        lock (_lock)
        {
            _socket?.Dispose();
            _socket = null;
        }
    }

    private readonly record struct Waiting(BulkRequest Request, Action<BulkReply?> Completed);
}
