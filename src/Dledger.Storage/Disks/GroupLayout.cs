using System.Globalization;
using Dledger.Primitives;

namespace Dledger.Storage.Disks;

/// <summary>Names inside a group's directory.</summary>
public static class GroupLayout
{
    /// <summary>Identity and hard state of the node.</summary>
    public const string MetaFile = "meta";

    /// <summary>Directory of the log.</summary>
    public const string Log = "log";

    /// <summary>Directory of the state checkpoints.</summary>
    public const string States = "state";

    /// <summary>Directory of the ConsumeQueues.</summary>
    public const string Queues = "cq";

    /// <summary>Directory of the key index.</summary>
    public const string Keys = "keys";

    /// <summary>Directory of a snapshot that is being received.</summary>
    public const string Incoming = "incoming";

    /// <summary>A position as a name that sorts like it.</summary>
    public static string NameOf(LogPosition position) => position.Value.ToString("D20", CultureInfo.InvariantCulture);
}
