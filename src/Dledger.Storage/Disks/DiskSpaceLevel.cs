namespace Dledger.Storage.Disks;

/// <summary>What a fuller and fuller disk asks for; each level includes the ones before.</summary>
public enum DiskSpaceLevel
{
    /// <summary>Enough room.</summary>
    Normal,

    /// <summary>Retention gives up what it may.</summary>
    Clean,

    /// <summary>Retention passes slow followers.</summary>
    Force,

    /// <summary>The leader refuses messages; acknowledgements, offsets and elections go on.</summary>
    RefuseProduce,

    /// <summary>The node acknowledges no more frames.</summary>
    StopAck,
}

/// <summary>Tells the level of a disk. Immutable.</summary>
/// <remarks>Defaults of section 2.25; a level is left only when the use has fallen by the margin, so it does not
/// flap.</remarks>
public sealed record DiskSpaceLevels
{
    /// <summary>Used percent from which retention cleans.</summary>
    public double CleanPercent { get; init; } = 75;

    /// <summary>Used percent from which retention is forced.</summary>
    public double ForcePercent { get; init; } = 85;

    /// <summary>Used percent from which messages are refused.</summary>
    public double RefuseProducePercent { get; init; } = 90;

    /// <summary>Used percent from which frames are not acknowledged.</summary>
    public double StopAckPercent { get; init; } = 97;

    /// <summary>A disk with at least so many bytes free has enough room, however large its used part is.</summary>
    public long EnoughBytes { get; init; } = 16L << 30;

    /// <summary>Percent by which the use must fall below a mark before its level ends.</summary>
    public double MarginPercent { get; init; } = 1;

    /// <summary>The level behind a measurement.</summary>
    /// <param name="current">The level before it.</param>
    /// <param name="space">The measurement; an unknown total counts as enough.</param>
    public DiskSpaceLevel Next(DiskSpaceLevel current, in DiskSpace space)
    {
        var used = UsedPercent(space);
        var level = LevelAt(used);
        return level >= current ? level : (DiskSpaceLevel)Math.Min((int)current, (int)LevelAt(used + MarginPercent));
    }

    /// <summary>The used part that counts, 0 to 100: 0 while enough is free in any case.</summary>
    public double UsedPercent(in DiskSpace space) => space.FreeBytes >= EnoughBytes ? 0 : space.UsedFraction * 100;

    private DiskSpaceLevel LevelAt(double percent) =>
        percent >= StopAckPercent ? DiskSpaceLevel.StopAck
        : percent >= RefuseProducePercent ? DiskSpaceLevel.RefuseProduce
        : percent >= ForcePercent ? DiskSpaceLevel.Force
        : percent >= CleanPercent ? DiskSpaceLevel.Clean
        : DiskSpaceLevel.Normal;
}
