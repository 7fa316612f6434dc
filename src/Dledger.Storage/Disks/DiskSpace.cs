namespace Dledger.Storage.Disks;

/// <summary>Room on a file system.</summary>
/// <param name="TotalBytes">What its users may have in all.</param>
/// <param name="FreeBytes">What they may still take.</param>
public readonly record struct DiskSpace(long TotalBytes, long FreeBytes)
{
    /// <summary>The used part, 0 to 1.</summary>
    public double UsedFraction => TotalBytes <= 0 ? 0 : 1 - Math.Clamp((double)FreeBytes / TotalBytes, 0, 1);
}
