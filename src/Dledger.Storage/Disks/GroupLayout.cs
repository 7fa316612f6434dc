using System.Globalization;
using Dledger.Primitives;

namespace Dledger.Storage.Disks;

/// <summary>Names inside a group's directory.</summary>
internal static class GroupLayout
{
    public const string MetaFile = "meta";
    public const string Log = "log";
    public const string States = "state";
    public const string Queues = "cq";
    public const string Incoming = "incoming";

    /// <summary>A position as a name that sorts like it.</summary>
    public static string NameOf(LogPosition position) => position.Value.ToString("D20", CultureInfo.InvariantCulture);
}
