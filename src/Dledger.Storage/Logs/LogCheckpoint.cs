using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>Where recovery may begin to read: a committed, durable prefix of the log and its epochs.</summary>
/// <remarks>
/// Little-endian:
///   0       8     12        16       20         24          40          56         64
///   | magic | crc | version | length | reserved | clusterId | storageId | sequence |
///   64       72         76            80     88        96         104          108           112        120
///   | offset | chainCrc | frameLength | term | logTime | logStart | epochCount | configCount | reserved |
///   120 + 16 * n: epoch n {term 8, start 8}
///   then configCount times: position 8, record length 4, the configuration record
/// crc is CRC-32C over bytes 12..length-1. While the log holds everything it only saves reading: when both files are
/// invalid, the log is read from its start. Once the log's start has passed a configuration, only the checkpoint has it.
/// Version 1 has no configurations and is read; version 2 is written. Frozen by Golden/logcheckpoint-v1.hex and -v2.hex.
/// </remarks>
internal sealed record LogCheckpoint
{
    private const ulong Magic = 0x313054504B434C44; // "DLCKPT01"
    private const uint Version = 2;
    private const uint VersionMin = 1;
    private const int HeaderBytes = 120;
    private const int EpochBytes = 16;
    private const int CrcStart = 12;

    /// <summary>More epochs than any real log has; bounds the memory that a damaged length could ask for.</summary>
    private const int EpochCountMax = 1 << 20;

    private const int ConfigurationHeaderBytes = 12;

    public required long Sequence { get; init; }

    /// <summary>The last frame of the prefix.</summary>
    public required ChainTail Tail { get; init; }

    public required LogPosition LogStart { get; init; }

    public required IReadOnlyList<Epoch> Epochs { get; init; }

    /// <summary>The newest configurations of the prefix, oldest first; empty when none was ever written.</summary>
    public IReadOnlyList<LogConfiguration> Configurations { get; init; } = [];

    /// <summary>Reads a checkpoint of this log; null when the bytes are anything else.</summary>
    public static LogCheckpoint? Parse(ReadOnlySpan<byte> bytes, LogIdentity identity)
    {
        if (bytes.Length < HeaderBytes
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) is < VersionMin or > Version)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        var epochCount = BinaryPrimitives.ReadInt32LittleEndian(bytes[104..]);
        if (epochCount is < 1 or > EpochCountMax
            || length < HeaderBytes + (EpochBytes * epochCount)
            || length > bytes.Length
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != Crc32C.Compute(bytes[CrcStart..length])
            || new Guid(bytes.Slice(24, 16), bigEndian: true) != identity.ClusterId
            || new Guid(bytes.Slice(40, 16), bigEndian: true) != identity.StorageId)
        {
            return null;
        }

        var epochs = new Epoch[epochCount];
        for (var i = 0; i < epochCount; i++)
        {
            var epoch = bytes.Slice(HeaderBytes + (EpochBytes * i), EpochBytes);
            epochs[i] = new Epoch(
                new Term(BinaryPrimitives.ReadInt64LittleEndian(epoch)),
                new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(epoch[8..])));
        }

        if (ReadConfigurations(bytes[..length], HeaderBytes + (EpochBytes * epochCount)) is not { } configurations)
        {
            return null;
        }

        return new LogCheckpoint
        {
            Sequence = BinaryPrimitives.ReadInt64LittleEndian(bytes[56..]),
            Tail = new ChainTail(
                new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(bytes[64..])),
                BinaryPrimitives.ReadUInt32LittleEndian(bytes[72..]),
                BinaryPrimitives.ReadInt32LittleEndian(bytes[76..]),
                new Term(BinaryPrimitives.ReadInt64LittleEndian(bytes[80..])),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[88..])),
            LogStart = new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(bytes[96..])),
            Epochs = epochs,
            Configurations = configurations,
        };
    }

    /// <summary>The file's content.</summary>
    public byte[] Encode(LogIdentity identity)
    {
        var bytes = new byte[
            HeaderBytes + (EpochBytes * Epochs.Count)
            + Configurations.Sum(configuration => ConfigurationHeaderBytes + configuration.Record.Length)];
        var span = bytes.AsSpan();
        BinaryPrimitives.WriteUInt64LittleEndian(span, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(span[12..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(span[16..], bytes.Length);
        identity.ClusterId.TryWriteBytes(span[24..], bigEndian: true, out _);
        identity.StorageId.TryWriteBytes(span[40..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(span[56..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(span[64..], Tail.End.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(span[72..], Tail.HeaderCrc);
        BinaryPrimitives.WriteInt32LittleEndian(span[76..], Tail.FrameLength);
        BinaryPrimitives.WriteInt64LittleEndian(span[80..], Tail.Term.Value);
        BinaryPrimitives.WriteInt64LittleEndian(span[88..], Tail.LogTime);
        BinaryPrimitives.WriteInt64LittleEndian(span[96..], LogStart.Value);
        BinaryPrimitives.WriteInt32LittleEndian(span[104..], Epochs.Count);
        BinaryPrimitives.WriteInt32LittleEndian(span[108..], Configurations.Count);
        for (var i = 0; i < Epochs.Count; i++)
        {
            var epoch = span.Slice(HeaderBytes + (EpochBytes * i), EpochBytes);
            BinaryPrimitives.WriteInt64LittleEndian(epoch, Epochs[i].Term.Value);
            BinaryPrimitives.WriteInt64LittleEndian(epoch[8..], Epochs[i].Start.Value);
        }

        var at = HeaderBytes + (EpochBytes * Epochs.Count);
        foreach (var (position, record) in Configurations)
        {
            BinaryPrimitives.WriteInt64LittleEndian(span[at..], position.Value);
            BinaryPrimitives.WriteInt32LittleEndian(span[(at + 8)..], record.Length);
            record.Span.CopyTo(span[(at + ConfigurationHeaderBytes)..]);
            at += ConfigurationHeaderBytes + record.Length;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(span[8..], Crc32C.Compute(span[CrcStart..]));
        return bytes;
    }

    /// <summary>Null when the lengths do not add up.</summary>
    private static List<LogConfiguration>? ReadConfigurations(ReadOnlySpan<byte> bytes, int at)
    {
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[108..]);
        var found = new List<LogConfiguration>();
        for (var i = 0; i < count; i++)
        {
            var rest = bytes[at..];
            if (rest.Length < ConfigurationHeaderBytes
                || BinaryPrimitives.ReadInt32LittleEndian(rest[8..]) is var length
                && (length < 0 || length > rest.Length - ConfigurationHeaderBytes))
            {
                return null;
            }

            found.Add(new LogConfiguration(
                new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(rest)),
                rest.Slice(ConfigurationHeaderBytes, length).ToArray()));
            at += ConfigurationHeaderBytes + length;
        }

        return at == bytes.Length ? found : null;
    }
}
