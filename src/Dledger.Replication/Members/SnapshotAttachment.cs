using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Raft.Quorums;
using Dledger.Storage.Logs;

namespace Dledger.Replication.Members;

/// <summary>What goes with a snapshot: the configuration that the log which follows it begins with.</summary>
/// <remarks>
/// Little-endian: version 4, count 4, and count times: position 8, length 4, the configuration record. The count is 0 while the
/// cluster's first configuration is in force at the log's start, else 1. An empty attachment says the same as a count of 0.
/// </remarks>
internal static class SnapshotAttachment
{
    private const int Version = 1;
    private const int HeadBytes = 8;
    private const int EntryBytes = 12;

    /// <summary>The attachment of a snapshot whose log begins at a position.</summary>
    /// <param name="configurations">All that are known of the log, oldest first.</param>
    /// <param name="logStart">Where the log begins.</param>
    /// <param name="placeOf">The addresses that go into the record.</param>
    public static byte[] Encode(
        IReadOnlyList<ConfigurationEntry> configurations, LogPosition logStart, Func<NodeId, MemberPlace> placeOf)
    {
        var inForce = configurations.LastOrDefault(
            entry => entry.Position < logStart && entry.Position > LogPosition.Zero);
        var record = inForce is null ? [] : ConfigurationRecord.Encode(inForce.Configuration, placeOf);
        var bytes = new byte[HeadBytes + (inForce is null ? 0 : EntryBytes + record.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Version);
        if (inForce is not null)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), 1);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(HeadBytes), inForce.Position.Value);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(HeadBytes + 8), record.Length);
            record.CopyTo(bytes, HeadBytes + EntryBytes);
        }

        return bytes;
    }

    /// <summary>Reads an attachment; null when it is none, or names a configuration that cannot be read.</summary>
    public static IReadOnlyList<LogConfiguration>? Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return [];
        }

        if (bytes.Length < HeadBytes || BinaryPrimitives.ReadInt32LittleEndian(bytes) != Version)
        {
            return null;
        }

        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        if (count != 1)
        {
            return count == 0 && bytes.Length == HeadBytes ? [] : null;
        }

        if (bytes.Length < HeadBytes + EntryBytes
            || BinaryPrimitives.ReadInt32LittleEndian(bytes[(HeadBytes + 8)..]) != bytes.Length - HeadBytes - EntryBytes)
        {
            return null;
        }

        var record = bytes[(HeadBytes + EntryBytes)..].ToArray();
        return ConfigurationRecord.Decode(record, out _, out _) is null
            ? null
            : [new LogConfiguration(new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(bytes[HeadBytes..])), record)];
    }
}
