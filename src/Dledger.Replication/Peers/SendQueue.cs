using Dledger.Raft.Messages;
using Dledger.Replication.Queues;

namespace Dledger.Replication.Peers;

/// <summary>A message that waits for its socket, with the bytes of its range; null: bytes of one whose beginning has been sent.</summary>
internal readonly record struct QueuedMessage(PeerMessage? Message, IReadOnlyList<ReadOnlyMemory<byte>> Range);

/// <summary>The messages of one connection that wait to be sent. Safe for any thread; one thread takes.</summary>
/// <remarks>
/// While nothing waits and the taker sleeps, whoever has a message may send it by itself between <see cref="TryClaim"/> and
/// <see cref="Release"/>, which saves the change of the thread.
///
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
    private bool _isClaimed;
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
            if (_waiting.Count > 1 || _isClaimed)
            {
                return true;
            }

            _isIdle = false;
        }

        _arrived.Set();
        return true;
    }

    /// <summary>The caller may write to the socket until it calls <see cref="Release"/>; false while others have precedence.</summary>
    public bool TryClaim()
    {
        lock (_lock)
        {
            if (!_isIdle || _isClosed || _waiting.Count > 0)
            {
                return false;
            }

            _isIdle = false;
            return _isClaimed = true;
        }
    }

    /// <summary>Ends a claim.</summary>
    /// <param name="rest">What the socket did not take; goes before all that was added meanwhile.</param>
    public void Release(ReadOnlyMemory<byte> rest)
    {
        lock (_lock)
        {
            _isClaimed = false;
            if (!rest.IsEmpty && !_isClosed)
            {
                _waiting.Insert(0, new QueuedMessage(null, [rest]));
                _waitingBytes += rest.Length;
            }

            if (_waiting.Count == 0)
            {
                _isIdle = true;
                _drained?.Set();
                return;
            }
        }

        _arrived.Set();
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

                if (_waiting.Count > 0 && !_isClaimed)
                {
                    (_waiting, taken) = (taken, _waiting);
                    _waitingBytes = 0;
                    return true;
                }

                if (!_isClaimed)
                {
                    _isIdle = true;
                    _drained?.Set();
                }
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
