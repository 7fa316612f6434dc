namespace Dledger.Storage.Disks;

/// <summary>The unit of what goes past the page cache.</summary>
internal static class DiskPage
{
    /// <summary>What offsets, lengths and memory of direct calls are multiples of: no device asks for more.</summary>
    public const int Bytes = 4096;
}
