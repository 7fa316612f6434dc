using Dledger.Primitives;

namespace Dledger.Raft.Peers;

/// <summary>What a peer said of itself when a connection to it was opened.</summary>
/// <param name="StorageId">Identity of its data directory; another one means other bytes.</param>
/// <param name="State">Whether it can take part.</param>
/// <param name="Term">Its term.</param>
/// <param name="LastTerm">Term of its last frame.</param>
/// <param name="End">End of its log.</param>
public sealed record PeerHello(Guid StorageId, PeerState State, Term Term, Term LastTerm, LogPosition End);

/// <summary>The state of a peer's data directory. Sent: the numbers never change.</summary>
public enum PeerState : byte
{
    /// <summary>Formatted, without genesis.</summary>
    Fresh = 0,

    /// <summary>A full member.</summary>
    Normal = 1,

    /// <summary>Restoring damaged bytes from others.</summary>
    Repairing = 2,

    /// <summary>May have lost bytes that it once acknowledged.</summary>
    Loss = 3,
}
