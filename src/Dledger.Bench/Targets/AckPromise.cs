namespace Dledger.Bench.Targets;

/// <summary>What is true when a send has been acknowledged; like is compared with like by it.</summary>
/// <param name="Durability">Where each copy is.</param>
/// <param name="Copies">Machines that have one: the smallest number that is promised.</param>
public sealed record AckPromise(AckDurability Durability, int Copies)
{
    /// <summary>For tables, such as <c>fsync on 2</c>.</summary>
    public override string ToString() => Durability switch
    {
        AckDurability.Synced => $"fsync on {Copies}",
        AckDurability.PageCache => $"page cache on {Copies}",
        _ => "unknown",
    };
}

/// <summary>Where a copy is when it counts as stored.</summary>
public enum AckDurability
{
    /// <summary>Nobody said.</summary>
    Unknown = 0,

    /// <summary>In the memory of the process or of its operating system: a power cut loses it.</summary>
    PageCache = 1,

    /// <summary>On the disk, by fsync or fdatasync.</summary>
    Synced = 2,
}
