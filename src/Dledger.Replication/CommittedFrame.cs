using Dledger.Primitives;

namespace Dledger.Replication;

/// <summary>One committed frame as the state machine sees it.</summary>
public readonly ref struct CommittedFrame
{
    public CommittedFrame(
        in FrameSummary summary,
        long logTime,
        int recordCount,
        ReadOnlyMemory<byte> payload,
        IReadOnlyList<Proposal> proposals)
    {
        Summary = summary;
        LogTime = logTime;
        RecordCount = recordCount;
        Payload = payload;
        Proposals = proposals;
    }

    /// <summary>Position, length, term and flags.</summary>
    public FrameSummary Summary { get; }

    /// <summary>
    /// The only clock of the state machine: microseconds since the Unix epoch, never decreasing along the log.
    /// </summary>
    public long LogTime { get; }

    /// <summary>Number of records in <see cref="Payload"/>.</summary>
    public int RecordCount { get; }

    /// <summary>
    /// The records, each a multiple of 8 bytes, store times filled in. The first lies at log position
    /// Summary.Base + 64. The bytes never change; whoever keeps a slice keeps the frame in memory.
    /// </summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>
    /// When this node cut the frame as the leader: the proposals whose records make it up, in order. Otherwise empty.
    /// The state machine completes each of them; none of them gets <see cref="Proposal.Fail"/> any more.
    /// </summary>
    public IReadOnlyList<Proposal> Proposals { get; }
}
