namespace Dledger.Testing.Disks;

/// <summary>512 bytes of a file. An array is never changed once it is here, so that versions may share it.</summary>
internal sealed class Sector(long number)
{
    public long Number { get; } = number;

    /// <summary>What readers see; null reads as zeros.</summary>
    public byte[]? Visible { get; set; }

    /// <summary>What the disk has; null when it never got any.</summary>
    public byte[]? Durable { get; set; }

    /// <summary>Every version since the last sync, the oldest first; null when there is none.</summary>
    public List<byte[]>? Pending { get; set; }
}
