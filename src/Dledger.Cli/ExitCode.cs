namespace Dledger.Cli;

/// <summary>What the process ends with: one number for each kind of fault. Scripts rely on them; they never change.</summary>
public enum ExitCode
{
    /// <summary>Done as asked.</summary>
    Ok = 0,

    /// <summary>A fault that has no number of its own, ours or the server's.</summary>
    Unexpected = 1,

    /// <summary>The command line or the configuration is wrong; nothing was done and no port opened.</summary>
    Usage = 2,

    /// <summary>No node took the call: none reachable, none leading, or all too busy. Nothing was done.</summary>
    Unavailable = 3,

    /// <summary>The topic, group, node or file does not exist.</summary>
    NotFound = 4,

    /// <summary>Refused for what it asks: a broken limit, an existing thing, a data directory or a port of somebody else.</summary>
    Refused = 5,

    /// <summary>Stored bytes are damaged.</summary>
    Damaged = 6,

    /// <summary>The answer was lost: it may have been done, once.</summary>
    OutcomeUnknown = 7,

    /// <summary>A node stopped because it can no longer keep its promises, for example after a failed sync.</summary>
    NodeFault = 8,

    /// <summary>Interrupted before the end.</summary>
    Interrupted = 130,
}
