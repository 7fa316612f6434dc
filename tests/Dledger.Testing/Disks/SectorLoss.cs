namespace Dledger.Testing.Disks;

/// <summary>Which of the unsynced sectors a power loss takes.</summary>
public enum SectorLoss
{
    /// <summary>Each one is lost or kept at random.</summary>
    Random,

    /// <summary>All are lost.</summary>
    All,

    /// <summary>None is lost: everything written had reached the disk by chance.</summary>
    None,

    /// <summary>The sectors of each file survive up to a random one.</summary>
    KeepPrefix,

    /// <summary>The sectors of each file survive from a random one on.</summary>
    KeepSuffix,

    /// <summary>All survive but the first of each file: a header is missing while what it describes is there.</summary>
    FirstOnly,
}
