using Dledger.Primitives;

namespace Dledger.Raft.Messages;

/// <summary>Answer to a <see cref="PreVoteRequest"/>; carries what a refused asker needs to catch up (P4).</summary>
public sealed record PreVoteReply : PeerMessage
{
    /// <summary>The round that it answers.</summary>
    public required long Campaign { get; init; }

    /// <summary>Whether the vote would be given.</summary>
    public required bool IsGranted { get; init; }

    /// <summary>The responder may have lost frames: its grant counts only if all voters grant.</summary>
    public bool HasLoss { get; init; }

    /// <summary>
    /// Where the responder's newest committed configuration lies, if the asker's node has no part in it; null otherwise. An asker
    /// that knows no newer one campaigns no more.
    /// </summary>
    public LogPosition? RemovedAt { get; init; }

    /// <summary>Term of the responder's last frame.</summary>
    public required Term LastTerm { get; init; }

    /// <summary>End of the responder's log.</summary>
    public required LogPosition End { get; init; }

    /// <summary>The leader that the responder follows, if any.</summary>
    public required NodeId Leader { get; init; }

    /// <inheritdoc/>
    public override bool IsReply => true;
}

/// <summary>Answer to a <see cref="VoteRequest"/>.</summary>
public sealed record VoteReply : PeerMessage
{
    /// <summary>The round that it answers.</summary>
    public required long Campaign { get; init; }

    /// <summary>Whether the vote is given in the message's term; durable before the reply leaves.</summary>
    public required bool IsGranted { get; init; }

    /// <summary>The responder may have lost frames: its grant counts only if all voters grant.</summary>
    public bool HasLoss { get; init; }

    /// <summary>The leader that the responder follows, if any.</summary>
    public required NodeId Leader { get; init; }

    /// <inheritdoc/>
    public override bool IsReply => true;
}
