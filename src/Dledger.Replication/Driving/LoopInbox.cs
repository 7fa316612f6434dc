using Dledger.Raft.Messages;
using Dledger.Replication.Queues;

namespace Dledger.Replication.Driving;

/// <summary>Everything that waits for the replication loop: events, and proposals within their bounds.</summary>
internal sealed class LoopInbox
{
    /// <summary>
    /// Bytes of appends that were received and are not on disk. A leader that heeds its window and what its followers
    /// report as received stays below: <see cref="Raft.RaftOptions.UnsyncedBytesMax"/> and one window.
    /// </summary>
    private const long UnwrittenBytesMax = 96L << 20;

    private readonly ReplicationOptions _options;
    private readonly SwapQueue<LoopEvent> _events;
    private readonly SwapQueue<Proposal> _proposals;
    private long _waitingBytes;
    private int _waitingCount;
    private long _receivedBytes;
    private long _unwrittenBytes;

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

    /// <summary>
    /// Adds a message of a peer; false when it brings frames beyond the bound, for which its connection must be closed.
    /// Receiver threads.
    /// </summary>
    public bool TryAddMessage(PeerMessage message)
    {
        if (message is AppendRequest { IsEmpty: false } append)
        {
            var bytes = append.Bytes.Length;
            var received = Interlocked.Add(ref _receivedBytes, bytes);
            var outstanding = received + Volatile.Read(ref _unwrittenBytes);
            if (outstanding > UnwrittenBytesMax && outstanding > bytes)
            {
                Interlocked.Add(ref _receivedBytes, -bytes);
                return false;
            }
        }

        _events.TryAdd(new MessageArrived(message));
        return true;
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
        Interlocked.Add(ref _receivedBytes, -steppedBytes);
        Volatile.Write(ref _unwrittenBytes, unwrittenBytes);
    }

    /// <summary>
    /// Throws away events that nobody handles: the loop does not run, so they are void. What waits for an answer gets one.
    /// </summary>
    /// <returns>Whether the node was asked to stop.</returns>
    /// <param name="events">The events.</param>
    /// <param name="reason">What those who wait are told.</param>
    public bool Discard(List<LoopEvent> events, string reason)
    {
        var isStopping = false;
        foreach (var item in events)
        {
            switch (item)
            {
                case MessageArrived { Message: AppendRequest append }:
                    Interlocked.Add(ref _receivedBytes, -append.Bytes.Length);
                    break;
                case StopRequested:
                    isStopping = true;
                    break;
                default:
                    item.Refuse(reason);
                    break;
            }
        }

        return isStopping;
    }

    /// <summary>Refuses everything from now on and answers what was never taken.</summary>
    public (IReadOnlyList<LoopEvent> Events, IReadOnlyList<Proposal> Proposals) Close() =>
        (_events.Close(), _proposals.Close());
}
