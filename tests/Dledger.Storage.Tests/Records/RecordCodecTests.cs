using System.Text;
using Dledger.Primitives;
using Dledger.Storage.Records;
using FsCheck;
using FsCheck.Fluent;

namespace Dledger.Storage.Tests.Records;

public sealed class RecordCodecTests
{
    [Fact]
    public void Every_combination_of_optional_words_is_read_back()
    {
        for (var mask = 0; mask < 64; mask++)
        {
            var fields = new RecordFields
            {
                Kind = RecordKind.Message,
                TopicId = 3,
                QueueId = 9,
                TagHash = -77,
                BornTime = 1_700_000_000_000_000,
                ProducerEpoch = 65_535,
                ProducerId = long.MaxValue,
                Sequence = -1,
                DeliverAt = (mask & 1) != 0 ? 11 : null,
                GroupHash = (mask & 2) != 0 ? -12 : null,
                TransactionReference = (mask & 4) != 0 ? new LogPosition(13) : null,
                MessageIdHash = (mask & 8) != 0 ? UInt128.MaxValue - 14 : null,
                BodyCompressed = (mask & 16) != 0,
                Replaces = (mask & 32) != 0,
            };
            var bytes = RecordEncoder.Encode(fields, "key"u8, "props"u8, "a body"u8);

            Assert.True(RecordView.TryParse(bytes, out var record, out var fault), fault);
            Assert.Equal((RecordFlags)mask, record.Flags);
            Assert.Equal(fields.DeliverAt, record.DeliverAt);
            Assert.Equal(fields.GroupHash, record.GroupHash);
            Assert.Equal(fields.TransactionReference, record.TransactionReference);
            Assert.Equal(fields.MessageIdHash, record.MessageIdHash);
            Assert.Equal(fields.ProducerEpoch, record.ProducerEpoch);
            Assert.Equal(fields.ProducerId, record.ProducerId);
            Assert.Equal(fields.Sequence, record.Sequence);
            Assert.Equal(fields.TagHash, record.TagHash);
            Assert.Equal("key", Encoding.UTF8.GetString(record.Key));
            Assert.Equal("props", Encoding.UTF8.GetString(record.Properties));
            Assert.Equal("a body", Encoding.UTF8.GetString(record.Body));
            Assert.Equal("a body", Encoding.UTF8.GetString(bytes.AsSpan(record.BodyStart, 6)));
            Assert.Equal(0, bytes.Length % 8);
            Assert.Equal(bytes.Length, RecordEncoder.Measure(fields, 3, 5, 6));
        }
    }

    [Fact]
    public void A_sealed_record_is_sound_at_its_own_place_only()
    {
        var bytes = RecordEncoder.Encode(new RecordFields { Kind = RecordKind.Tick }, [], [], []);

        RecordView.Seal(bytes, new LogPosition(4096), 42);

        Assert.True(RecordView.TryParseSealed(bytes, new LogPosition(4096), out var record, out _));
        Assert.Equal(42, record.StoreTime);
        Assert.False(RecordView.TryParseSealed(bytes, new LogPosition(8192), out _, out var fault));
        Assert.Contains("checksum", fault);
        Assert.False(RecordView.TryParse(bytes, out _, out _));
    }

    [Fact]
    public void A_flipped_bit_anywhere_in_a_sealed_record_is_noticed()
    {
        var bytes = RecordEncoder.Encode(new RecordFields { Kind = RecordKind.Message }, "k"u8, [], "body"u8);
        RecordView.Seal(bytes, new LogPosition(64), 1_700_000_000_000_000);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(RecordView.TryParseSealed(bytes, new LogPosition(64), out _, out _), $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void A_changed_byte_outside_checksum_and_store_time_is_noticed()
    {
        var bytes = RecordEncoder.Encode(new RecordFields { Kind = RecordKind.Message }, "k"u8, [], "body"u8);
        for (var i = 0; i < bytes.Length; i++)
        {
            var copy = (byte[])bytes.Clone();
            copy[i] ^= 0x10;

            Assert.Equal(i is >= 8 and < 16, RecordView.TryParse(copy, out _, out _));
        }
    }

    [Fact]
    public void Any_bytes_are_refused_or_read_without_an_exception()
    {
        Prop.ForAll<byte[]>(bytes =>
        {
            RecordView.TryParse(bytes, out _, out _);
            var cursor = new RecordEnumerator(bytes, LogPosition.Zero);
            while (cursor.TryMoveNext(out _))
            {
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_header_whose_lengths_overflow_is_refused()
    {
        var bytes = RecordEncoder.Encode(new RecordFields { Kind = RecordKind.Message }, [], [], new byte[100]);
        BitConverter.TryWriteBytes(bytes.AsSpan(32), int.MaxValue);

        Assert.False(RecordView.TryParse(bytes, out _, out var fault));
        Assert.Contains("does not fit", fault);
    }

    [Fact]
    public void Kind_numbers_are_frozen()
    {
        var numbers = string.Join(' ', Enum.GetValues<RecordKind>().Select(kind => $"{kind}={(int)kind:x2}"));

        Assert.Equal(
            "None=00 Message=01 HalfMessage=02 MessageBatch=03 TermStart=10 Configuration=11 LogStartAdvance=12 Tick=13 "
            + "ClusterVersion=14 "
            + "TopicUpsert=20 TopicDelete=21 GroupUpsert=22 GroupDelete=23 AclUpsert=24 TopicTrim=25 GroupPause=26 "
            + "BroadcastJoin=27 BroadcastEnd=28 LiteCreate=29 LiteEnd=2a CommitOffset=30 ResetOffset=31 Replay=32 "
            + "Lease=40 Ack=41 ChangeInvisible=42 Forward=43 Parking=44 "
            + "EndTransaction=50 TransactionCheck=51 TransactionPublish=52 TransactionDiscard=53 "
            + "TimerCancel=60 Relocate=61 TimerFire=62 TimerMove=63 InitProducer=70 FinishUnseen=74 Resend=78",
            numbers);
    }
}
