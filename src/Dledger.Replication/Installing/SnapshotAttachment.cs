using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Raft.Quorums;
using Dledger.Replication.Members;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;
using Dledger.Storage.Records;

namespace Dledger.Replication.Installing;

/// <summary>
/// What a snapshot carries beside state and queues: the configuration in force where its log begins, which no frame behind it says.
/// </summary>
/// <remarks>Position 8, little-endian, then the configuration record; empty while the cluster's first configuration is in force.</remarks>
internal static class SnapshotAttachment
{
    private const int PositionBytes = 8;

    /// <summary>The bytes for a log that begins at a position.</summary>
    /// <param name="configurations">All that the log knows, oldest first; the first may be the cluster's own, at position 0.</param>
    /// <param name="start">Where the log begins.</param>
    /// <param name="placeOf">Addresses of the members.</param>
    public static byte[] Encode(
        IReadOnlyList<ConfigurationEntry> configurations, LogPosition start, Func<NodeId, MemberPlace> placeOf)
    {
        ConfigurationEntry? last = null;
        for (var i = 0; i < configurations.Count; i++)
        {
            if (configurations[i].Position > LogPosition.Zero && configurations[i].Position < start)
            {
                last = configurations[i];
            }
        }

        if (last is null)
        {
            return [];
        }

        var record = ConfigurationRecord.Encode(last.Configuration, placeOf);
        RecordView.Seal(record, last.Position + FrameHeader.Size, logTime: 0);
        var bytes = new byte[PositionBytes + record.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, last.Position.Value);
        record.CopyTo(bytes.AsSpan(PositionBytes));
        return bytes;
    }

    /// <summary>The configurations that the new log stands on; the fault when the bytes are none.</summary>
    public static IReadOnlyList<LogConfiguration>? TryRead(ReadOnlyMemory<byte> bytes, out string? fault)
    {
        fault = null;
        if (bytes.IsEmpty)
        {
            return [];
        }

        if (bytes.Length <= PositionBytes)
        {
            fault = $"an attachment of {bytes.Length} bytes";
            return null;
        }

        var record = bytes[PositionBytes..];
        var position = new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(bytes.Span));
        return ConfigurationRecord.Decode(record.Span, position, out _, out fault) is null
            ? null
            : [new LogConfiguration(position, record)];
    }
}
