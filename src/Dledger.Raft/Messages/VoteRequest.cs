using Dledger.Primitives;

namespace Dledger.Raft.Messages;

/// <summary>Asks for the receiver's vote in the message's term (Raft section 5.2).</summary>
public sealed record VoteRequest : PeerMessage
{
    /// <summary>Names the round; replies return it.</summary>
    public required long Campaign { get; init; }

    /// <summary>Term of the candidate's last frame.</summary>
    public required Term LastTerm { get; init; }

    /// <summary>End of the candidate's log.</summary>
    public required LogPosition End { get; init; }

    /// <summary>The leader asked for this election, so contact with it is no reason to refuse (thesis 4.2.3).</summary>
    public required bool IsTransfer { get; init; }
}
