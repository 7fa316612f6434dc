namespace Dledger.Raft.Peers;

/// <summary>Why a connection ended.</summary>
public enum SessionCloseReason
{
    /// <summary>The peer's kernel closed it (FIN or RST): its process is gone or closed it on purpose.</summary>
    PeerReset,

    /// <summary>Nothing heard for too long.</summary>
    Timeout,

    /// <summary>This node closed it.</summary>
    Local,
}
