using Dledger.Primitives;
using Dledger.Raft.Quorums;

namespace Dledger.Raft.Peers;

/// <summary>One other node: the connection to it, and while this node leads, how far it has followed.</summary>
/// <remarks><c>Match &lt;= Received &lt;= Next &lt;= End</c> in state <see cref="ProgressState.Replicate"/>.</remarks>
internal sealed class Peer(NodeId node)
{
    private long _newestSession;

    public NodeId Node { get; } = node;

    /// <summary>Number of the open outbound connection; 0 when there is none.</summary>
    public long Session { get; private set; }

    public bool IsConnected => Session != 0;

    /// <summary>Whether the configuration has a part for it; nothing is sent to strangers but answers.</summary>
    public bool IsMember { get; set; }

    /// <summary>What it said when the connection was opened.</summary>
    public PeerHello? Hello { get; private set; }

    /// <summary>The member that it is with the storage of its last hello.</summary>
    public Member Member => new(Node, Hello?.StorageId ?? Guid.Empty);

    /// <summary>Heart-beats in a row at which it was close behind the leader and had answered since the one before.</summary>
    public int CaughtUpRounds { get; set; }

    public ProgressState State { get; set; }

    /// <summary>Equal to the own log and durable there. Falls only when the peer lost its disk.</summary>
    public LogPosition Match { get; set; }

    /// <summary>Received there in the present stream; the window counts from here.</summary>
    public LogPosition Received { get; set; }

    /// <summary>Where the next append begins; a frame end of the own log.</summary>
    public LogPosition Next { get; set; }

    /// <summary>Counts the mismatches of this session in this term.</summary>
    public int Stream { get; set; }

    /// <summary>The request to read what it needs next from disk; null when there is none.</summary>
    public (long Number, LogPosition From)? Reading { get; set; }

    /// <summary>The chain at <see cref="Next"/> where a range ended that was read from disk, so that it need not be read again.</summary>
    public (LogPosition Position, uint HeaderCrc)? ReadChain { get; set; }

    /// <summary>A probe is on its way; heart-beats repeat it.</summary>
    public bool IsProbeOutstanding { get; set; }

    /// <summary>When the newest request that it answered was sent.</summary>
    public long LastContact { get; set; }

    /// <summary>The same by the stamp that the request carried, and zero before the first answer in this term.</summary>
    public long AnsweredSentAt { get; set; }

    /// <summary>The newest commit position that it was told.</summary>
    public LogPosition CommitSent { get; set; }

    public LogPosition Applied { get; set; }

    public long SyncAge { get; set; }

    /// <summary>How full its disk is, as it last said; null when it did not.</summary>
    public int? DiskUsedPercent { get; set; }

    /// <summary>Starts counting anew for a term that this node leads: acks of earlier terms say nothing about its log.</summary>
    public void StartTerm(long now, LogPosition end)
    {
        Match = LogPosition.Zero;
        CaughtUpRounds = 0;
        LastContact = now;
        AnsweredSentAt = 0;
        StartStreams(end);
    }

    /// <summary>
    /// Became a member while this node leads. The streams go on counting: in the same session the peer remembers what it rejected.
    /// </summary>
    public void Join(long now, LogPosition end)
    {
        LastContact = now;
        CaughtUpRounds = 0;
        Stream++;
        Probe(Match > LogPosition.Zero ? Match : end);
    }

    /// <summary>A connection was opened; false when it is not newer than the present one.</summary>
    public bool Open(long session, PeerHello hello)
    {
        if (session <= _newestSession)
        {
            return false;
        }

        if (hello.State == PeerState.Loss || (Hello is not null && Hello.StorageId != hello.StorageId))
        {
            // What it acknowledged before may be gone. Commit stays: it was decided when the bytes were there.
            Match = LogPosition.Zero;
            CaughtUpRounds = 0;
        }

        Session = session;
        _newestSession = session;
        Hello = hello;
        return true;
    }

    /// <summary>A connection was closed; false when it is not the present one.</summary>
    public bool Close(long session)
    {
        if (session != Session)
        {
            return false;
        }

        Session = 0;
        return true;
    }

    /// <summary>Begins to probe at a position in a new session or term.</summary>
    public void StartStreams(LogPosition next)
    {
        Stream = 0;
        Probe(next);
        CommitSent = LogPosition.Zero;
    }

    /// <summary>Looks for the match position from here.</summary>
    public void Probe(LogPosition next)
    {
        State = ProgressState.Probe;
        Next = next;
        Received = LogPosition.Zero;
        IsProbeOutstanding = false;
        Reading = null;
        ReadChain = null;
    }

    public PeerProgress ToProgress(Configuration configuration) => new(
        Node, Member.StorageId, configuration.IsVoter(Member), State, IsConnected, Match, Received, Applied, LastContact, SyncAge,
        DiskUsedPercent);
}
