using Google.Protobuf.WellKnownTypes;
using Wire = Dledger.Protocol.Admin.V1;

namespace Dledger.Client.Administration;

/// <summary>By what a group knows that it has processed a message.</summary>
public enum DedupBy
{
    /// <summary>It does not look.</summary>
    Nothing = 1,

    /// <summary>The message id.</summary>
    MessageId = 2,

    /// <summary>The first business key.</summary>
    Key = 3,

    /// <summary>A user property.</summary>
    Property = 4,
}

/// <summary>Which keys of processed messages a group remembers; null asks for the default, or leaves a thing as it is.</summary>
public sealed record GroupDedup
{
    /// <summary>What the key of a message is.</summary>
    public DedupBy? By { get; init; }

    /// <summary>The name of the user property; null with the others.</summary>
    public string? Property { get; init; }

    /// <summary>For how long after the acknowledgement, 1 s to 7 days.</summary>
    public TimeSpan? Window { get; init; }

    /// <summary>Most keys, up to 1,000,000; the oldest go first.</summary>
    public long? Count { get; init; }

    /// <summary>Keys remembered at present; 0 in lists of groups.</summary>
    public long Remembered { get; init; }

    /// <summary>Messages finished without delivery so far; 0 in lists of groups.</summary>
    public long Repeats { get; init; }

    internal Wire.GroupDedup? ToWire()
    {
        if (this == new GroupDedup())
        {
            return null;
        }

        var wire = new Wire.GroupDedup
        {
            By = (Wire.DedupBy)(By ?? 0),
            Property = Property ?? "",
            Window = Window is { } window ? Duration.FromTimeSpan(window) : null,
        };
        if (Count is { } count)
        {
            wire.Count = count;
        }

        return wire;
    }

    internal static GroupDedup? Of(Wire.GroupDedup? wire) => wire is null
        ? null
        : new GroupDedup
        {
            By = (DedupBy)wire.By,
            Property = wire.Property.Length > 0 ? wire.Property : null,
            Window = wire.Window?.ToTimeSpan(),
            Count = wire.Count,
            Remembered = wire.Remembered,
            Repeats = wire.Repeats,
        };
}
