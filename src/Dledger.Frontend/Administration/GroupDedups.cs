using Dledger.Broker.Deduplication;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Frontend.Administration;

/// <summary>What a group remembers of processed messages, between wire and broker. A number that the wire does not know stays one that no
/// rule allows.</summary>
internal static class GroupDedups
{
    private const long SecondsMax = 1L << 32;

    /// <summary>As asked for with a new group.</summary>
    public static DedupSettings FromWire(GroupDedup? dedup) => SourceOf(dedup) is not { } source
        ? DedupSettings.None
        : new DedupSettings(
            source,
            dedup!.Property,
            dedup.Window is { } window ? WindowOf(window).Ticks / TimeSpan.TicksPerMicrosecond : 0,
            dedup.Count);

    /// <summary>Null when it is not given.</summary>
    public static DedupSource? SourceOf(GroupDedup? dedup) =>
        dedup is null or { By: DedupBy.Unspecified } ? null : (DedupSource)((int)dedup.By - 1);

    /// <summary>What no time span can say is out of the allowed range in any case.</summary>
    public static TimeSpan WindowOf(Duration window) => window is { Seconds: < 0 or > SecondsMax } or { Nanos: < 0 or >= 1_000_000_000 }
        ? TimeSpan.MaxValue
        : TimeSpan.FromTicks((window.Seconds * TimeSpan.TicksPerSecond) + (window.Nanos / 100));

    /// <summary>Null for a group that does not look.</summary>
    public static GroupDedup? ToWire(DedupSettings dedup) => !dedup.IsOn
        ? null
        : new GroupDedup
        {
            By = (DedupBy)((int)dedup.Source + 1),
            Property = dedup.Property,
            Window = Duration.FromTimeSpan(dedup.Window),
            Count = dedup.CountMax,
        };
}
