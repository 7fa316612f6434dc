using Dledger.Raft.Messages;
using Dledger.Replication.Queues;

namespace Dledger.Replication.Driving;

/// <summary>Everything that waits for the replication loop: events, and proposals within their bounds.</summary>
internal sealed class LoopInbox
{
    /// <summary>
    /// Bytes of appends that were received and are not on disk. Beyond it a receiver waits, which stops the leader at
    /// its window: a follower with a slow disk must not fill its memory.
    /// </summary>
    private const long UnwrittenBytesMax = 96L << 20;

    private readonly ReplicationOptions _options;
    private readonly SwapQueue<LoopEvent> _events;
    private readonly SwapQueue<Proposal> _proposals;
    private readonly Lock _creditLock = new();
    private readonly ManualResetEvent _creditMoved = new(false);
    private long _waitingBytes;
    private int _waitingCount;
    private long _receivedBytes;
    private long _unwrittenBytes;
    private bool _isClosed;

    public LoopInbox(ReplicationOptions options)
    {
        _options = options;
        _events = new SwapQueue<LoopEvent>(Signal);
        _proposals = new SwapQueue<Proposal>(Signal);
    }

    /// <summary>Wakes the loop.</summary>
    public WakeSignal Signal { get; } = new();

    /// <summary>Adds an event; false when the loop has ended. Any thread.</summary>
    public bool TryAdd(LoopEvent item) => _events.TryAdd(item);

    /// <summary>Adds a message of a peer, after waiting for room when it brings frames. Receiver threads.</summary>
    public void AddMessage(PeerMessage message)
    {
        if (message is AppendRequest { IsEmpty: false } append)
        {
            WaitForCredit(append.Bytes.Length);
        }

        _events.TryAdd(new MessageArrived(message));
    }

    /// <summary>Adds a proposal; false when a bound is reached. Any thread.</summary>
    public bool TryPropose(Proposal proposal)
    {
        var bytes = proposal.Records.Length;
        var hasRoom = Interlocked.Increment(ref _waitingCount) <= _options.WaitingProposalCountMax
            & Interlocked.Add(ref _waitingBytes, bytes) <= _options.WaitingProposalBytesMax;
        if (hasRoom && _proposals.TryAdd(proposal))
        {
            return true;
        }

        ReleaseProposals(1, bytes);
        return false;
    }

    /// <summary>The loop has cut or failed proposals.</summary>
    public void ReleaseProposals(int count, long bytes)
    {
        Interlocked.Add(ref _waitingCount, -count);
        Interlocked.Add(ref _waitingBytes, -bytes);
    }

    /// <summary>The loop takes all events.</summary>
    public bool TryTakeEvents(ref List<LoopEvent> taken) => _events.TryTakeAll(ref taken);

    /// <summary>The loop takes all proposals.</summary>
    public bool TryTakeProposals(ref List<Proposal> taken) => _proposals.TryTakeAll(ref taken);

    /// <summary>
    /// The loop has stepped appends of that many bytes; so many bytes of its log are not on disk now.
    /// </summary>
    public void ReleaseReceived(long steppedBytes, long unwrittenBytes)
    {
        lock (_creditLock)
        {
            _receivedBytes -= steppedBytes;
            _unwrittenBytes = unwrittenBytes;
            if (_receivedBytes + _unwrittenBytes < UnwrittenBytesMax)
            {
                _creditMoved.Set();
            }
        }
    }

    /// <summary>Refuses everything from now on and answers what was never taken.</summary>
    public (IReadOnlyList<LoopEvent> Events, IReadOnlyList<Proposal> Proposals) Close()
    {
        lock (_creditLock)
        {
            _isClosed = true;
        }

        _creditMoved.Set();
        return (_events.Close(), _proposals.Close());
    }

    private void WaitForCredit(int bytes)
    {
        while (true)
        {
            lock (_creditLock)
            {
                var outstanding = _receivedBytes + _unwrittenBytes;
                if (_isClosed || outstanding == 0 || outstanding + bytes <= UnwrittenBytesMax)
                {
                    _receivedBytes += bytes;
                    return;
                }

                _creditMoved.Reset();
            }

            _creditMoved.WaitOne();
        }
    }
}
