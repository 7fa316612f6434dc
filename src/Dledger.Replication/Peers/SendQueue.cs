using Dledger.Raft.Messages;
using Dledger.Replication.Queues;

namespace Dledger.Replication.Peers;

/// <summary>A message that waits for its socket, with the bytes of its range.</summary>
internal readonly record struct QueuedMessage(PeerMessage Message, IReadOnlyList<ReadOnlyMemory<byte>> Range);

/// <summary>The messages of one connection that wait to be sent. Safe for any thread; one thread takes.</summary>
/// <remarks>
/// Bounded: the replication window of a peer is 32 MiB, so twice that means that something other than the window fills
/// it. A full queue closes the connection, since dropping one message of a session would break its order.
/// </remarks>
internal sealed class SendQueue
{
    private const long BytesMax = 80L << 20;
    private const int CountMax = 65_536;

    private readonly Lock _lock = new();
    private readonly WakeSignal _arrived = new();
    private List<QueuedMessage> _waiting = [];
    private long _waitingBytes;
    private bool _isIdle = true;
    private bool _isClosed;

    // Only when somebody waits for it, which is when the node stops.
    private ManualResetEventSlim? _drained;

    /// <summary>
    /// Adds a message; false when the queue is full. On a closed queue it does nothing and answers true.
    /// </summary>
    public bool TryAdd(PeerMessage message, IReadOnlyList<ReadOnlyMemory<byte>> range)
    {
        long bytes = PeerMessageHeader.Length;
        for (var i = 0; i < range.Count; i++)
        {
            bytes += range[i].Length;
        }

        lock (_lock)
        {
            if (_isClosed)
            {
                return true;
            }

            if (_waiting.Count >= CountMax || _waitingBytes + bytes > BytesMax)
            {
                return false;
            }

            _waiting.Add(new QueuedMessage(message, range));
            _waitingBytes += bytes;
            if (_waiting.Count > 1)
            {
                return true;
            }

            _isIdle = false;
        }

        _arrived.Set();
        return true;
    }

    /// <summary>
    /// Swaps the waiting messages with the emptied <paramref name="taken"/>; blocks while there are none.
    /// </summary>
    /// <returns>False once the queue is closed.</returns>
    public bool TryTakeAll(ref List<QueuedMessage> taken)
    {
        taken.Clear();
        while (true)
        {
            lock (_lock)
            {
                if (_isClosed)
                {
                    return false;
                }

                if (_waiting.Count > 0)
                {
                    (_waiting, taken) = (taken, _waiting);
                    _waitingBytes = 0;
                    return true;
                }

                _isIdle = true;
                _drained?.Set();
            }

            _arrived.Wait(-1);
        }
    }

    /// <summary>Waits until all that was added has been sent, or the queue is closed.</summary>
    public void WaitUntilDrained(TimeSpan patience)
    {
        ManualResetEventSlim drained;
        lock (_lock)
        {
            if (_isIdle || _isClosed)
            {
                return;
            }

            drained = _drained ??= new ManualResetEventSlim();
            drained.Reset();
        }

        drained.Wait(patience);
    }

    /// <summary>Discards what waits and wakes the taker.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            _waiting.Clear();
            _drained?.Set();
        }

        _arrived.Set();
    }
}
