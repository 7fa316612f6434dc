namespace Dledger.Storage.Keys;

/// <summary>A key's hash and where in the log a record with that key lies. Orders by hash, then position.</summary>
internal readonly record struct KeyEntry(ulong Hash, long Position) : IComparable<KeyEntry>
{
    /// <summary>Bytes in a file.</summary>
    public const int Bytes = 16;

    public int CompareTo(KeyEntry other)
    {
        var order = Hash.CompareTo(other.Hash);
        return order != 0 ? order : Position.CompareTo(other.Position);
    }
}
