using Dledger.Primitives;
using Dledger.Replication.Bulk;
using Dledger.Replication.Peers;

namespace Dledger.Replication.Repairing;

/// <summary>Asks the other nodes, one after the other, for frames that this node has lost.</summary>
/// <remarks>
/// One request at a time. A node that cannot help is passed over; when all were, there is a pause before the next round, as a leader
/// may be elected meanwhile or a node may come back. Owned by one loop, to which <paramref name="deliver"/> brings the answers.
/// </remarks>
/// <param name="transport">Reaches the nodes.</param>
/// <param name="peers">Whom to ask.</param>
/// <param name="deliver">Takes an answer on any thread; the loop gives it to <see cref="TryTake"/>.</param>
internal sealed class RangeFetcher(
    IPeerTransport transport, IReadOnlyList<NodeId> peers, Action<RangeAnswer> deliver)
{
    private const long RoundPauseMicroseconds = 500_000;

    /// <summary>
    /// How long all must have nothing: a node that has just started does not know yet how much is committed.
    /// </summary>
    private const long HopeMicroseconds = 30_000_000;

    // Those that have given up what is asked for: no node takes that back.
    private readonly HashSet<NodeId> _gone = [];

    private long _asked;
    private bool _isAsking;
    private int _next;
    private int _failedInRow;
    private long _pausedUntil;
    private int _conclusiveInRow;
    private long? _hopelessSince;

    /// <summary>Why the last node could not help, for an operator.</summary>
    public string LastFault { get; private set; } = "no other node was asked yet";

    /// <summary>The node whose answer is awaited or was taken last.</summary>
    public NodeId Peer => peers.Count == 0 ? NodeId.None : peers[_next];

    /// <summary>Until when nothing should be asked; 0 while an answer is awaited or a request may go out.</summary>
    public bool MayAsk(long now) => !_isAsking && peers.Count > 0 && now >= _pausedUntil;

    /// <summary>Microseconds until <see cref="MayAsk"/> may hold; <see cref="long.MaxValue"/> until an answer comes.</summary>
    public long WaitAt(long now) => _isAsking || peers.Count == 0 ? long.MaxValue : Math.Max(0, _pausedUntil - now);

    /// <summary>
    /// Whether a majority of the nodes, or every other one, has given up what is asked for, or all have answered again and again for a
    /// while that they do not have it. A log is given up because the cluster agreed on it, so a few that cannot answer now, perhaps
    /// because they wait for the same, have nothing to add.
    /// </summary>
    public bool IsHopeless(long now) =>
        (_gone.Count >= Math.Min(peers.Count, ((peers.Count + 1) / 2) + 1) && peers.Count > 0)
            || now - _hopelessSince >= HopeMicroseconds;

    /// <summary>Sends the request.</summary>
    public void Ask(LogPosition from, long bytesMax)
    {
        _isAsking = true;
        var number = ++_asked;
        transport.Fetch(
            peers[_next],
            new ReadLogRange(from, (int)Math.Min(bytesMax, BulkLimits.PieceBytes)),
            reply => deliver(new RangeAnswer(this, number, reply)));
    }

    /// <summary>
    /// Takes an answer in; null when it brings no bytes. The caller says with <see cref="Accept"/> or <see cref="Reject(string, long)"/> what it made
    /// of them.
    /// </summary>
    public ReadOnlyMemory<byte>? TryTake(RangeAnswer answer, long now)
    {
        if (answer.Number != _asked || !_isAsking)
        {
            return null;
        }

        _isAsking = false;
        if (answer.Reply is { Outcome: BulkOutcome.Found } found)
        {
            return found.Bytes;
        }

        var isConclusive = answer.Reply?.Outcome is BulkOutcome.Gone or BulkOutcome.NotThere;
        if (answer.Reply?.Outcome == BulkOutcome.Gone)
        {
            _gone.Add(Peer);
        }

        Reject(
            answer.Reply?.Outcome switch
            {
                null => $"node {Peer} does not answer",
                BulkOutcome.Gone => $"node {Peer} does not keep that part of the log any more",
                BulkOutcome.NotThere => $"node {Peer} has nothing committed there",
                _ => $"node {Peer} cannot serve it now",
            },
            isConclusive,
            now);
        return null;
    }

    /// <summary>The bytes were right: the same node is asked for more.</summary>
    public void Accept()
    {
        _failedInRow = 0;
        _conclusiveInRow = 0;
        _gone.Clear();
        _hopelessSince = null;
    }

    /// <summary>The bytes do not fit: the next node's turn.</summary>
    public void Reject(string fault, long now) => Reject(fault, isConclusive: true, now);

    private void Reject(string fault, bool isConclusive, long now)
    {
        LastFault = fault;
        _conclusiveInRow = isConclusive ? _conclusiveInRow + 1 : 0;
        _hopelessSince = _conclusiveInRow < peers.Count ? null : _hopelessSince ?? now;
        _next = (_next + 1) % peers.Count;
        if (++_failedInRow >= peers.Count)
        {
            _failedInRow = 0;
            _pausedUntil = now + RoundPauseMicroseconds;
        }
    }
}

/// <summary>An answer on its way to the loop that asked.</summary>
internal sealed record RangeAnswer(RangeFetcher Fetcher, long Number, BulkReply? Reply);
