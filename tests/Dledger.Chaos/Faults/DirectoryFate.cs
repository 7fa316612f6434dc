namespace Dledger.Chaos.Faults;

/// <summary>What becomes of the directory of a stopped node.</summary>
internal enum DirectoryFate
{
    /// <summary>It comes back as it was some seconds before.</summary>
    OldCopy,

    /// <summary>It is exchanged with that of another follower.</summary>
    Swapped,
}
