using Dledger.Primitives;

namespace Dledger.Raft.Messages;

/// <summary>Asks whether the receiver would vote for the sender in <see cref="NextTerm"/>; changes no state (thesis 9.6).</summary>
public sealed record PreVoteRequest : PeerMessage
{
    /// <summary>Names the round; replies return it.</summary>
    public required long Campaign { get; init; }

    /// <summary>The term that the sender would enter: its own plus one.</summary>
    public required Term NextTerm { get; init; }

    /// <summary>Term of the sender's last frame.</summary>
    public required Term LastTerm { get; init; }

    /// <summary>End of the sender's log.</summary>
    public required LogPosition End { get; init; }
}
