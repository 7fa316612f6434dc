namespace Dledger.Raft.Messages;

/// <summary>The leader tells the target of a transfer to campaign at once (thesis 3.10).</summary>
public sealed record TimeoutNow : PeerMessage
{
    /// <summary>Names the attempt; for logs.</summary>
    public required long Transfer { get; init; }
}

/// <summary>The leader gives up: followers need not wait for a timeout.</summary>
public sealed record Resigning : PeerMessage;
