using System.Net.Sockets;
using System.Runtime.InteropServices;
using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;

namespace Dledger.Replication.Peers;

/// <summary>One established connection: a socket, the queue towards it, and the two loops that serve them.</summary>
/// <remarks>
/// <see cref="RunSender"/> and <see cref="RunReceiver"/> each own one thread until the connection ends; the other
/// members are safe for any thread. The first reason for the end is the one that counts.
/// </remarks>
internal sealed class PeerConnection(
    Socket socket, SocketReader reader, RaftGroupId group, NodeId peer, long session, bool isOutbound)
{
    private const int GatherBytesMax = 1 << 20;
    private const int GatherSegmentsMax = 256;

    /// <summary>Longer messages would keep the caller from its work for too long.</summary>
    private const int SentAtOnceMax = 64 << 10;

    private readonly SendQueue _queue = new();
    private readonly byte[] _sentAtOnce = SocketCalls.CanSendNow ? new byte[SentAtOnceMax] : [];
    private readonly Lock _closeLock = new();
    private SessionCloseReason? _closeReason;
    private string _closeDetail = "";

    /// <summary>The other node.</summary>
    public NodeId Peer => peer;

    /// <summary>Number given by the node that dialled.</summary>
    public long Session => session;

    /// <summary>Whether this node dialled.</summary>
    public bool IsOutbound => isOutbound;

    /// <summary>Why it ended; meaningful after both loops returned.</summary>
    public SessionCloseReason CloseReason => _closeReason ?? SessionCloseReason.Local;

    /// <summary>The same in words.</summary>
    public string CloseDetail => _closeDetail;

    /// <summary>Sends a short message at once where nothing waits, else queues it; closes the connection when the queue is full.</summary>
    /// <remarks>Never waits for the socket.</remarks>
    public void Send(PeerMessage message, IReadOnlyList<ReadOnlyMemory<byte>> range)
    {
        if (FitsAtOnce(range) && _queue.TryClaim())
        {
            SendAtOnce(message, range);
            return;
        }

        if (!_queue.TryAdd(message, range))
        {
            Close(SessionCloseReason.Local, "the send queue is full");
        }
    }

    /// <summary>See <see cref="SendQueue.WaitUntilDrained"/>.</summary>
    public void WaitUntilDrained(TimeSpan patience) => _queue.WaitUntilDrained(patience);

    /// <summary>Ends the connection; both loops return soon. Only the first call has an effect.</summary>
    public void Close(SessionCloseReason reason, string detail)
    {
        lock (_closeLock)
        {
            if (_closeReason is not null)
            {
                return;
            }

            _closeReason = reason;
            _closeDetail = detail;
        }

        _queue.Close();
        try
        {
            // Shutdown first: it wakes a thread that is blocked on the socket, which a bare close does not promise.
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // Already down, which is what was wanted.
        }

        socket.Dispose();
    }

    /// <summary>Sends what is queued, several messages with one call, until the connection ends.</summary>
    public void RunSender()
    {
        var taken = new List<QueuedMessage>();
        var heads = new byte[64 << 10];
        var segments = new List<ArraySegment<byte>>();
        try
        {
            while (_queue.TryTakeAll(ref taken))
            {
                var next = 0;
                while (next < taken.Count)
                {
                    next = Gather(taken, next, heads, segments);
                    SendAll(segments);
                }
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            CloseAfter(fault);
        }
    }

    /// <summary>Reads messages and hands them to <paramref name="events"/> until the connection ends.</summary>
    public void RunReceiver(PeerMessageLimits limits, IPeerEvents events)
    {
        try
        {
            while (true)
            {
                var headerBytes = reader.ReadSmall(PeerMessageHeader.Length);
                if (headerBytes.IsEmpty)
                {
                    Close(SessionCloseReason.PeerReset, "the peer closed the connection");
                    return;
                }

                var fault = TryReceive(headerBytes.Span, limits, out var message) ?? events.Received(message!);
                if (fault is not null)
                {
                    Close(SessionCloseReason.Local, fault);
                    return;
                }
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            CloseAfter(fault);
        }
    }

    private bool FitsAtOnce(IReadOnlyList<ReadOnlyMemory<byte>> range)
    {
        long bytes = PeerMessageCodec.EncodedBytesMax;
        for (var i = 0; i < range.Count && bytes <= _sentAtOnce.Length; i++)
        {
            bytes += range[i].Length;
        }

        return bytes <= _sentAtOnce.Length;
    }

    // The queue is claimed, and with it the buffer.
    private void SendAtOnce(PeerMessage message, IReadOnlyList<ReadOnlyMemory<byte>> range)
    {
        ReadOnlyMemory<byte> rest = default;
        try
        {
            var length = PeerMessageCodec.Write(message, group, _sentAtOnce);
            for (var i = 0; i < range.Count; i++)
            {
                range[i].Span.CopyTo(_sentAtOnce.AsSpan(length));
                length += range[i].Length;
            }

            var sent = SocketCalls.SendNow(socket, _sentAtOnce.AsSpan(0, length));
            rest = sent < length ? _sentAtOnce[sent..length] : default;
        }
        catch (ObjectDisposedException)
        {
            // Closed by another thread: what is sent now is lost anyway.
        }
        finally
        {
            _queue.Release(rest);
        }
    }

    private string? TryReceive(ReadOnlySpan<byte> headerBytes, PeerMessageLimits limits, out PeerMessage? message)
    {
        message = null;
        if (!PeerMessageHeader.TryParse(headerBytes, out var header, out var fault))
        {
            return fault;
        }

        if (header.BodyLength > limits.BodyBytesMax(header.Type))
        {
            return $"a message of type {(int)header.Type} with {header.BodyLength} bytes is not allowed";
        }

        if (header.Sender != peer || header.Session != session || header.Group != group)
        {
            return $"a message of node {header.Sender}, session {header.Session}, group {header.Group} came on the "
                + $"connection of node {peer}, session {session}, group {group}";
        }

        if (!TryReadBody(header, out var body))
        {
            return "the connection ended inside a message";
        }

        message = PeerMessageCodec.TryRead(header, body);
        if (message is null)
        {
            return $"the body of a message of type {(int)header.Type} is damaged or unknown";
        }

        return message.IsReply == isOutbound ? null : $"a {message.GetType().Name} came in the wrong direction";
    }

    private bool TryReadBody(in PeerMessageHeader header, out ReadOnlyMemory<byte> body)
    {
        if (header.BodyLength <= PeerMessageLimits.GenesisBytesMax && header.Type != PeerMessageType.Append)
        {
            body = reader.ReadSmall(header.BodyLength);
            return body.Length == header.BodyLength;
        }

        // The frames of an append live on in the tail cache: they get an array of their own.
        var array = GC.AllocateUninitializedArray<byte>(header.BodyLength);
        body = array;
        return reader.TryFill(array);
    }

    private int Gather(List<QueuedMessage> messages, int next, byte[] heads, List<ArraySegment<byte>> segments)
    {
        segments.Clear();
        var used = 0;
        long gathered = 0;
        while (next < messages.Count
            && heads.Length - used >= PeerMessageCodec.EncodedBytesMax
            && gathered < GatherBytesMax
            && segments.Count < GatherSegmentsMax)
        {
            var (message, range) = messages[next];
            if (message is not null)
            {
                var written = PeerMessageCodec.Write(message, group, heads.AsSpan(used));
                segments.Add(new ArraySegment<byte>(heads, used, written));
                used += written;
                gathered += written;
            }

            for (var i = 0; i < range.Count; i++)
            {
                Invariant.Check(MemoryMarshal.TryGetArray(range[i], out var segment), "frames lie in arrays");
                segments.Add(segment);
                gathered += segment.Count;
            }

            next++;
        }

        return next;
    }

    private void SendAll(List<ArraySegment<byte>> segments)
    {
        while (segments.Count > 0)
        {
            var sent = segments.Count == 1 ? socket.Send(segments[0]) : socket.Send(segments);
            var whole = 0;
            while (whole < segments.Count && sent >= segments[whole].Count)
            {
                sent -= segments[whole].Count;
                whole++;
            }

            segments.RemoveRange(0, whole);
            if (segments.Count > 0)
            {
                segments[0] = segments[0][sent..];
            }
        }
    }

    private void CloseAfter(Exception fault)
    {
        var reason = (fault as SocketException)?.SocketErrorCode switch
        {
            SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown
                => SessionCloseReason.PeerReset,
            null => SessionCloseReason.Local,
            _ => SessionCloseReason.Timeout,
        };
        Close(reason, fault.Message);
    }
}
