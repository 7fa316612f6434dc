using System.Buffers.Binary;
using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Metadata;

/// <summary>One of the four slots of the meta file: a numbered version of <see cref="NodeMetadata"/>.</summary>
/// <remarks>
/// 4096 bytes, little-endian:
///   0       8     12              16        24     28      32          48     56         60           64
///   | magic | crc | formatVersion | version | node | flags | storageId | term | votedFor | voterCount | lossTerm |
///   72       88         96              100     104        120
///   | bootId | cleanEnd | cleanChainCrc | zero | clusterId | voters, 20 each: node 4, storageId 16 | zeros |
/// and since version 2:
///   3200            3216               3224      3232          3236          3240    3248     3256      3264
///   | machineBootId | installedApplied | applied | manifestCrc | frameLength | start | term | logTime | headerCrc |
/// and since version 3:
///   3272                3280
///   | configurationFloor | zeros |
/// crc is CRC-32C over bytes 12..4095. flags: bit 0 genesis, bit 1 loss flag, bit 2 clean stop, bit 3 install intent
/// (the fields from applied on), bit 4 installedApplied, bit 5 relaxed flush mode (since version 3). Versions 1 and 2 are
/// read, with what they lack empty; version 3 is written. Frozen by Golden/metaslot-v1.hex to metaslot-v3.hex.
/// </remarks>
internal static class MetaSlot
{
    /// <summary>Bytes of a slot.</summary>
    public const int Bytes = 4096;

    private const ulong Magic = 0x3130_4154_454D_4C44; // "DLMETA01"
    private const uint FormatVersion = 3;
    private const uint FormatVersionMin = 1;
    private const int CrcStart = 12;
    private const int VotersStart = 120;
    private const int VoterBytes = 20;
    private const uint HasGenesis = 1;
    private const uint HasLoss = 2;
    private const uint HasCleanStop = 4;
    private const uint HasInstall = 8;
    private const uint HasInstalledApplied = 16;
    private const uint HasRelaxedFlush = 32;
    private const int Version2Start = 3200;
    private const int Version3Start = 3272;

    /// <summary>Writes a slot.</summary>
    public static void Write(Span<byte> slot, long version, NodeMetadata metadata)
    {
        var voters = metadata.Genesis?.Voters ?? [];
        Invariant.Check(voters.Count <= Genesis.VoterCountMax, $"{voters.Count} voters fit into a slot");
        slot[..Bytes].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(slot, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[12..], FormatVersion);
        BinaryPrimitives.WriteInt64LittleEndian(slot[16..], version);
        BinaryPrimitives.WriteInt32LittleEndian(slot[24..], metadata.Node.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(
            slot[28..],
            (metadata.Genesis is null ? 0 : HasGenesis)
            | (metadata.LossFlag ? HasLoss : 0)
            | (metadata.CleanStop is null ? 0 : HasCleanStop)
            | (metadata.Install is null ? 0 : HasInstall)
            | (metadata.InstalledApplied is null ? 0 : HasInstalledApplied)
            | (metadata.IsRelaxed ? HasRelaxedFlush : 0));
        metadata.StorageId.TryWriteBytes(slot[32..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(slot[48..], metadata.Term.Value);
        BinaryPrimitives.WriteInt32LittleEndian(slot[56..], metadata.VotedFor.Value);
        BinaryPrimitives.WriteInt32LittleEndian(slot[60..], voters.Count);
        BinaryPrimitives.WriteInt64LittleEndian(slot[64..], metadata.LossTerm.Value);
        metadata.BootId.TryWriteBytes(slot[72..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(slot[88..], metadata.CleanStop?.End.Value ?? 0);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[96..], metadata.CleanStop?.HeaderCrc ?? 0);
        metadata.ClusterId.TryWriteBytes(slot[104..], bigEndian: true, out _);
        for (var i = 0; i < voters.Count; i++)
        {
            var voter = slot.Slice(VotersStart + (i * VoterBytes), VoterBytes);
            BinaryPrimitives.WriteInt32LittleEndian(voter, voters[i].Node.Value);
            voters[i].StorageId.TryWriteBytes(voter[4..], bigEndian: true, out _);
        }

        WriteVersion2(slot[Version2Start..], metadata);
        BinaryPrimitives.WriteInt64LittleEndian(slot[Version3Start..], metadata.ConfigurationFloor.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[8..], Crc32C.Compute(slot[CrcStart..Bytes]));
    }

    /// <summary>Reads a slot; false when it is not a valid one.</summary>
    public static bool TryParse(ReadOnlySpan<byte> slot, out long version, out NodeMetadata? metadata)
    {
        version = 0;
        metadata = null;
        if (slot.Length < Bytes
            || BinaryPrimitives.ReadUInt64LittleEndian(slot) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(slot[8..]) != Crc32C.Compute(slot[CrcStart..Bytes])
            || BinaryPrimitives.ReadUInt32LittleEndian(slot[12..]) is < FormatVersionMin or > FormatVersion
            || BinaryPrimitives.ReadInt32LittleEndian(slot[60..]) is < 0 or > Genesis.VoterCountMax)
        {
            return false;
        }

        version = BinaryPrimitives.ReadInt64LittleEndian(slot[16..]);
        var flags = BinaryPrimitives.ReadUInt32LittleEndian(slot[28..]);
        metadata = new NodeMetadata
        {
            Node = new NodeId(BinaryPrimitives.ReadInt32LittleEndian(slot[24..])),
            StorageId = new Guid(slot.Slice(32, 16), bigEndian: true),
            Genesis = (flags & HasGenesis) == 0 ? null : ReadGenesis(slot),
            Term = new Term(BinaryPrimitives.ReadInt64LittleEndian(slot[48..])),
            VotedFor = new NodeId(BinaryPrimitives.ReadInt32LittleEndian(slot[56..])),
            LossFlag = (flags & HasLoss) != 0,
            LossTerm = new Term(BinaryPrimitives.ReadInt64LittleEndian(slot[64..])),
            BootId = new Guid(slot.Slice(72, 16), bigEndian: true),
            CleanStop = (flags & HasCleanStop) == 0
                ? null
                : new CleanStop(
                    new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(slot[88..])),
                    BinaryPrimitives.ReadUInt32LittleEndian(slot[96..])),
        };
        if (BinaryPrimitives.ReadUInt32LittleEndian(slot[12..]) >= 2)
        {
            metadata = ReadVersion2(slot[Version2Start..], flags, metadata);
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(slot[12..]) >= 3)
        {
            metadata = metadata with
            {
                ConfigurationFloor = new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(slot[Version3Start..])),
                IsRelaxed = (flags & HasRelaxedFlush) != 0,
            };
        }

        return true;
    }

    private static void WriteVersion2(Span<byte> fields, NodeMetadata metadata)
    {
        metadata.MachineBootId.TryWriteBytes(fields, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(fields[16..], metadata.InstalledApplied?.Value ?? 0);
        if (metadata.Install is not { } install)
        {
            return;
        }

        BinaryPrimitives.WriteInt64LittleEndian(fields[24..], install.Applied.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[32..], install.ManifestCrc);
        BinaryPrimitives.WriteInt32LittleEndian(fields[36..], install.LogStart.FrameLength);
        BinaryPrimitives.WriteInt64LittleEndian(fields[40..], install.LogStart.End.Value);
        BinaryPrimitives.WriteInt64LittleEndian(fields[48..], install.LogStart.Term.Value);
        BinaryPrimitives.WriteInt64LittleEndian(fields[56..], install.LogStart.LogTime);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[64..], install.LogStart.HeaderCrc);
    }

    private static NodeMetadata ReadVersion2(ReadOnlySpan<byte> fields, uint flags, NodeMetadata metadata) =>
        metadata with
        {
            MachineBootId = new Guid(fields[..16], bigEndian: true),
            InstalledApplied = (flags & HasInstalledApplied) == 0
                ? null
                : new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(fields[16..])),
            Install = (flags & HasInstall) == 0
                ? null
                : new InstallIntent(
                    new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(fields[24..])),
                    BinaryPrimitives.ReadUInt32LittleEndian(fields[32..]),
                    new ChainTail(
                        new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(fields[40..])),
                        BinaryPrimitives.ReadUInt32LittleEndian(fields[64..]),
                        BinaryPrimitives.ReadInt32LittleEndian(fields[36..]),
                        new Term(BinaryPrimitives.ReadInt64LittleEndian(fields[48..])),
                        BinaryPrimitives.ReadInt64LittleEndian(fields[56..]))),
        };

    private static Genesis ReadGenesis(ReadOnlySpan<byte> slot)
    {
        var voters = new GenesisVoter[BinaryPrimitives.ReadInt32LittleEndian(slot[60..])];
        for (var i = 0; i < voters.Length; i++)
        {
            var voter = slot.Slice(VotersStart + (i * VoterBytes), VoterBytes);
            voters[i] = new GenesisVoter(
                new NodeId(BinaryPrimitives.ReadInt32LittleEndian(voter)),
                new Guid(voter.Slice(4, 16), bigEndian: true));
        }

        return new Genesis(new Guid(slot.Slice(104, 16), bigEndian: true), voters);
    }
}
