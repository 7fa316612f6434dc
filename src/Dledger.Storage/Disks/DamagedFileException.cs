namespace Dledger.Storage.Disks;

/// <summary>A file's content is not what was written, and nothing valid is left in it.</summary>
public sealed class DamagedFileException(string path, string reason) : IOException($"'{path}' is damaged: {reason}")
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>What was found.</summary>
    public string Reason { get; } = reason;
}
