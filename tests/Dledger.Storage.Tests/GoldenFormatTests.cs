using System.Text;
using Dledger.Primitives;
using Dledger.Storage.Checkpoints;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;
using Dledger.Storage.Queues;
using Dledger.Storage.Records;
using Dledger.Storage.Snapshots;
using Dledger.Testing.Golden;

namespace Dledger.Storage.Tests;

/// <summary>Every stored format, byte by byte. A difference means that existing data cannot be read any more.</summary>
public sealed class GoldenFormatTests
{
    private static readonly LogIdentity Identity = new(
        new Guid("00112233-4455-6677-8899-aabbccddeeff"),
        new Guid("0f0e0d0c-0b0a-0908-0706-050403020100"),
        RaftGroupId.First);

    private static readonly ChainTail Tail = new(
        new LogPosition(0x1122334455667788), 0xA1B2C3D4, 0x1238, new Term(0x0102030405060708), 1_700_000_000_123_456);

    [Fact]
    public void A_record_keeps_its_bytes() => GoldenFile.Check("record-v1.hex", Record());

    [Fact]
    public void A_compressed_batch_keeps_its_bytes()
    {
        var table = new BatchTable(Compression.Lz4, HasLifetimes: true, Count: 2, UncompressedSize: 200, KeyCount: 3);
        BatchRow[] rows = [new(BatchTable.DistanceOf(0), 0, 96, 2, 0x0102030405060708), new(BatchTable.DistanceOf(1), 96, 104, 3, -2)];
        ulong[] keys = [0x1111111111111111, 0x2222222222222222, 0x3333333333333333];
        var block = Encoding.ASCII.GetBytes("block of the client");
        var record = new byte[RecordHeader.Measure(RecordFlags.None, 0, 0, (int)table.Length + block.Length)];
        var parts = RecordEncoder.Lay(
            new RecordFields { Kind = RecordKind.MessageBatch, TopicId = 7, QueueId = 2, ProducerId = 9, ProducerEpoch = 1, Sequence = 40, BornTime = 5 },
            0,
            0,
            (int)table.Length + block.Length,
            record);
        table.Write(parts.Body);
        for (var i = 0; i < rows.Length; i++)
        {
            table.WriteRow(parts.Body, i, rows[i]);
        }

        for (var i = 0; i < keys.Length; i++)
        {
            table.WriteKey(parts.Body, i, keys[i]);
        }

        block.CopyTo(parts.Body[(int)table.Length..]);
        parts.Close();

        GoldenFile.Check("messagebatch-v1.hex", record);
        var stored = GoldenFile.Read("messagebatch-v1.hex", record.Length);
        Assert.True(RecordView.TryParse(stored, out var view, out var fault), fault);
        Assert.True(BatchTable.TryParse(view.Body, out var parsed));
        Assert.Equal(table, parsed);
        Assert.Equal(rows[1], parsed.Row(view.Body, 1));
        Assert.Equal(keys[2], parsed.Key(view.Body, 2));
        Assert.Equal(block, parsed.Block(view.Body).ToArray());
        Assert.True(BatchRow.IsAt(stored.AsSpan(rows[1].Distance)));
        Assert.False(BatchRow.IsAt(stored));
    }

    [Fact]
    public void A_frame_keeps_its_bytes()
    {
        var frame = Frame();

        GoldenFile.Check("frame-v1.hex", frame);
        var stored = GoldenFile.Read("frame-v1.hex", frame.Length);
        Assert.True(FrameReader.TryRead(stored, Tail, Identity.Seed, 1 << 20, out var view, out var fault), fault);
        Assert.Equal(new LogPosition(0x1122334455667700), view.Header.CommitHint);
        Assert.Equal(FrameFlags.TermStart, view.Header.Flags);
    }

    [Fact]
    public void A_segment_header_page_keeps_its_bytes()
    {
        var header = SegmentHeader.After(Tail, Identity, zeroFilled: true);
        var page = new byte[CommitLogOptions.SegmentHeaderBytes];
        header.Write(page);
        WatermarkSlot[] slots = [new(6, new LogPosition(0x77)), new(7, new LogPosition(0x78))];
        foreach (var slot in slots)
        {
            slot.Write(page.AsSpan(slot.FileOffset), Identity.Seed);
        }

        GoldenFile.Check("segmentheader-v1.hex", page);
        var stored = GoldenFile.Read("segmentheader-v1.hex", page.Length);
        Assert.Equal(SegmentHeaderState.Valid, SegmentHeader.Parse(stored, out var parsed, out _));
        Assert.Equal(header, parsed);
        Assert.Equal(new WatermarkSlot(7, new LogPosition(0x78)), WatermarkSlot.FindNewest(stored, Identity.Seed));
    }

    [Fact]
    public void A_retired_sector_keeps_its_bytes()
    {
        var sector = new byte[SegmentHeader.SectorBytes];
        SegmentHeader.WriteRetired(sector);

        GoldenFile.Check("retiredsector-v1.hex", sector);
        Assert.Equal(SegmentHeaderState.Retired, SegmentHeader.Parse(sector, out _, out _));
    }

    [Fact]
    public void A_meta_slot_keeps_its_bytes()
    {
        var metadata = new NodeMetadata
        {
            Node = new NodeId(3),
            StorageId = Identity.StorageId,
            Genesis = new Genesis(
                Identity.ClusterId,
                [new(new NodeId(1), Identity.ClusterId), new(new NodeId(3), Identity.StorageId)]),
            Term = new Term(0x55),
            VotedFor = new NodeId(1),
            LossFlag = true,
            LossTerm = new Term(0x44),
            BootId = new Guid("deadbeef-0000-4000-8000-000000000001"),
            CleanStop = new CleanStop(new LogPosition(0x99), 0xCAFEBABE),
        };
        var second = metadata with
        {
            MachineBootId = new Guid("feedface-0000-4000-8000-000000000002"),
            Install = new InstallIntent(new LogPosition(0x7766), 0x12345678, Tail),
            InstalledApplied = new LogPosition(0x5544),
        };
        var third = second with { ConfigurationFloor = new LogPosition(0x3344556677), IsRelaxed = true };
        var slot = new byte[MetaSlot.Bytes];
        MetaSlot.Write(slot, 12, third);

        GoldenFile.Check("metaslot-v3.hex", slot);
        AssertMetaSlot("metaslot-v3.hex", third);
        AssertMetaSlot("metaslot-v2.hex", second);
        AssertMetaSlot("metaslot-v1.hex", metadata);
    }

    [Fact]
    public void A_log_checkpoint_keeps_its_bytes()
    {
        var checkpoint = new LogCheckpoint
        {
            Sequence = 5,
            Tail = Tail,
            LogStart = new LogPosition(0x40),
            Epochs = [new Epoch(new Term(1), new LogPosition(0x40)), new Epoch(new Term(3), new LogPosition(0x80))],
            Configurations =
            [
                new LogConfiguration(new LogPosition(0x100), "first"u8.ToArray()),
                new LogConfiguration(new LogPosition(0x200), "second"u8.ToArray()),
            ],
        };
        var bytes = checkpoint.Encode(Identity);

        GoldenFile.Check("logcheckpoint-v2.hex", bytes);
        var parsed = LogCheckpoint.Parse(GoldenFile.Read("logcheckpoint-v2.hex", bytes.Length), Identity);
        Assert.Equal(
            ["256 first", "512 second"],
            parsed!.Configurations.Select(entry => $"{entry.Position} {Encoding.ASCII.GetString(entry.Record.Span)}"));
        var older = LogCheckpoint.Parse(GoldenFile.Read("logcheckpoint-v1.hex", 152), Identity);
        Assert.Empty(older!.Configurations);
        foreach (var read in new[] { parsed, older })
        {
            Assert.Equal(checkpoint.Tail, read.Tail);
            Assert.Equal(checkpoint.Epochs, read.Epochs);
        }

        Assert.Null(LogCheckpoint.Parse(bytes, Identity with { StorageId = Guid.Empty }));
    }

    [Fact]
    public void A_log_start_keeps_its_bytes()
    {
        var record = new LogStartRecord(6, Tail);
        var slot = new byte[LogStartRecord.Bytes];
        record.Write(slot, Identity);

        GoldenFile.Check("logstart-v1.hex", slot);
        var stored = GoldenFile.Read("logstart-v1.hex", slot.Length);
        Assert.Equal(record, LogStartRecord.Parse(stored, Identity));
        Assert.Null(LogStartRecord.Parse(stored, Identity with { StorageId = Guid.Empty }));
    }

    [Fact]
    public void A_consume_queue_entry_keeps_its_bytes()
    {
        var entry = new ConsumeQueueEntry(new LogPosition(0x1122334455667788), 0x0A0B0C0D, -2);
        var bytes = new byte[ConsumeQueueEntry.Bytes];
        entry.Write(bytes);

        GoldenFile.Check("consumequeue-v1.hex", bytes);
        Assert.Equal(entry, ConsumeQueueEntry.Parse(GoldenFile.Read("consumequeue-v1.hex", bytes.Length)));
    }

    [Fact]
    public void A_state_checkpoint_manifest_keeps_its_bytes()
    {
        var manifest = new CheckpointManifest(
            new LogPosition(0x1234),
            new Term(9),
            0xA1B2C3D4,
            [new CheckpointPart("topics", 77, 0x11223344), new CheckpointPart("groups", 0, 0)]);
        var bytes = manifest.Encode();

        GoldenFile.Check("statemanifest-v1.hex", bytes);
        var parsed = CheckpointManifest.Parse(GoldenFile.Read("statemanifest-v1.hex", bytes.Length), out var fault);
        Assert.Null(fault);
        Assert.Equal(manifest.Parts, parsed!.Parts);
        Assert.Equal(manifest.Applied, parsed.Applied);
    }

    [Fact]
    public void A_snapshot_manifest_keeps_its_bytes()
    {
        var manifest = new SnapshotManifest
        {
            Applied = new LogPosition(0x2233445566778899),
            AppliedTerm = new Term(0x66),
            AppliedHeaderCrc = 0x0A0B0C0D,
            LogStart = Tail,
            Attachment = "extra"u8.ToArray(),
            Parts =
            [
                new SnapshotPart(SnapshotPartKind.State, "topics", 0, 0, default, 77, 0x11223344),
                new SnapshotPart(SnapshotPartKind.Queue, "", 0x0102, 3, new QueueOffset(300_000), 40, 0x55667788),
            ],
        };
        var bytes = manifest.Encode();

        GoldenFile.Check("snapshotmanifest-v1.hex", bytes);
        var stored = GoldenFile.Read("snapshotmanifest-v1.hex", bytes.Length);
        var parsed = SnapshotManifest.Parse(stored, out var crc, out var fault);
        Assert.Null(fault);
        Assert.Equal(SnapshotInstall.IntentOf(manifest).ManifestCrc, crc);
        Assert.Equal(manifest.Parts, parsed!.Parts);
        Assert.Equal(manifest.LogStart, parsed.LogStart);
        Assert.Equal(bytes, parsed.Encode());
    }

    private static void AssertMetaSlot(string golden, NodeMetadata expected)
    {
        Assert.True(MetaSlot.TryParse(GoldenFile.Read(golden, MetaSlot.Bytes), out var version, out var parsed));
        Assert.Equal(12, version);
        Assert.Equal(expected, parsed);
    }

    private static byte[] Record() => RecordEncoder.Encode(
        new RecordFields
        {
            Kind = RecordKind.Message,
            TopicId = 0x01020304,
            QueueId = 5,
            TagHash = 0x1020304050607080,
            BornTime = 1_700_000_000_000_001,
            ProducerEpoch = 0x0203,
            ProducerId = 0x7766554433221100,
            Sequence = 0x21222324,
            BodyCompressed = true,
            DeliverAt = 1,
            GroupHash = 2,
            TransactionReference = new LogPosition(3),
            MessageIdHash = new UInt128(4, 5),
        },
        "key"u8,
        "properties"u8,
        "body"u8);

    private static byte[] Frame() => FrameBuilder.Build(
        Tail,
        Tail.Term.Next(),
        Tail.LogTime + 1,
        new LogPosition(0x1122334455667700),
        FrameFlags.TermStart,
        new NodeId(200),
        [Record()],
        Identity.Seed);
}
