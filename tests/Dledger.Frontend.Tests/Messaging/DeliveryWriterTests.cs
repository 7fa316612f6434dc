using System.Buffers;
using Apache.Rocketmq.V2;
using Dledger.Broker.Commands;
using Dledger.Broker.DeadLetters;
using Dledger.Broker.Messages;
using Dledger.Broker.Receipts;
using Dledger.Frontend.Messaging.Consuming;
using Dledger.Primitives;
using Dledger.Storage.Records;
using Google.Protobuf;

namespace Dledger.Frontend.Tests.Messaging;

public sealed class DeliveryWriterTests
{
    private static readonly ReceiptCodec Receipts = new(Guid.AllBitsSet);
    private static readonly Resource Topic = new() { ResourceNamespace = "ns", Name = "orders" };

    /// <summary>The slow, obvious twin is the encoder that makes protobuf objects.</summary>
    [Fact]
    public void Random_messages_are_written_as_the_encoder_of_objects_writes_them()
    {
        var random = new Random(7);
        for (var i = 0; i < 3_000; i++)
        {
            var message = RandomMessage(random);

            var written = ReceiveMessageResponse.Parser.ParseFrom(Write(message));

            var encoded = DeliveryEncoder.Encode(message, Topic, "ns", "host:8081");
            Assert.Equal(new ReceiveMessageResponse { Message = encoded }, written);
        }
    }

    [Fact]
    public void Text_that_is_not_UTF_8_is_left_to_the_decoder_which_replaces_it()
    {
        var properties = new ByteWriter();
        PropertyWriter.Write(properties, PropertyKind.Tag, [0x61, 0xFF]);

        Assert.False(new DeliveryWriter(Topic.ToByteArray(), "", "").TryMeasure(Message(new RecordFields(), "id"u8, properties, [1]), out _));
    }

    [Fact]
    public void One_writer_serves_message_after_message()
    {
        var random = new Random(11);
        var writer = new DeliveryWriter(Topic.ToByteArray(), "ns", "host:8081");
        for (var i = 0; i < 50; i++)
        {
            var message = RandomMessage(random);

            var written = ReceiveMessageResponse.Parser.ParseFrom(Write(message, writer)).Message;

            Assert.Equal(message.MessageId, written.SystemProperties.MessageId);
            Assert.Equal(message.Body.ToArray(), written.Body.ToByteArray());
        }
    }

    private static byte[] Write(DeliveredMessage message, DeliveryWriter? writer = null)
    {
        writer ??= new DeliveryWriter(Topic.ToByteArray(), "ns", "host:8081");
        var target = new ArrayBufferWriter<byte>();
        Assert.True(writer.TryMeasure(message, out var length));
        writer.Write(target, length);
        Assert.Equal(length, target.WrittenCount);
        return target.WrittenSpan.ToArray();
    }

    private static DeliveredMessage RandomMessage(Random random)
    {
        var draft = new MessageDraft
        {
            Body = default,
            MessageId = Text(random, 1),
            Type = (Broker.Messages.MessageType)random.Next(1, 6),
            Tag = Maybe(random, () => Text(random, 0)),
            Keys = [.. Enumerable.Range(0, random.Next(4)).Select(_ => Text(random, 0))],
            UserProperties = [.. Enumerable.Range(0, random.Next(5)).Select(n => KeyValuePair.Create($"{n}{Text(random, 0)}", Text(random, 0)))],
            BodyEncoding = random.Next(2) == 0 ? BodyEncoding.Gzip : BodyEncoding.Identity,
            BornHost = Maybe(random, () => Text(random, 0)) ?? "",
            MessageGroup = Maybe(random, () => Text(random, 0)),
            LiteTopic = Maybe(random, () => Text(random, 0)),
            Priority = random.Next(2) == 0 ? null : random.Next(-1, int.MaxValue),
            TraceContext = Maybe(random, () => Text(random, 0)),
        };
        var map = new byte[PropertyWriter.Measure(draft)];
        PropertyWriter.Write(map, draft);
        var properties = new ByteWriter();
        properties.Bytes(map);
        if (random.Next(4) == 0)
        {
            var detail = new DeadLetterDetail(3, 4, 5, DeadLetterReason.MaxAttempts, 6, "");
            PropertyWriter.Write(properties, PropertyKind.DeadLetterTopic, random.Next(2) == 0 ? "ns%origin" : Text(random, 0));
            PropertyWriter.Write(properties, PropertyKind.DeadLetterMessageId, Text(random, 0));
            PropertyWriter.Write(properties, PropertyKind.DeadLetterDetail, detail.Encode());
        }

        var fields = new RecordFields
        {
            BornTime = random.NextInt64(-62_135_596_800_000_000, 253_402_300_799_000_000),
            DeliverAt = random.Next(2) == 0 ? null : random.NextInt64(0, 2_000_000_000_000_000),
        };
        var body = new byte[random.Next(3) == 0 ? random.Next(3) : random.Next(100_000)];
        random.NextBytes(body);
        return Message(fields, System.Text.Encoding.UTF8.GetBytes(draft.MessageId), properties, body, random);
    }

    private static DeliveredMessage Message(
        RecordFields fields, ReadOnlySpan<byte> id, ByteWriter properties, byte[] body, Random? random = null)
    {
        var record = RecordEncoder.Encode(fields with { Kind = RecordKind.Message }, id, properties.Written.Span, body);
        RecordView.Seal(record, new LogPosition(64), random?.NextInt64(0, 2_000_000_000_000_000) ?? 0);
        var queueId = random?.Next(3) ?? 0;
        var offset = random?.Next(2) == 0 ? 0 : random?.NextInt64() ?? 0;
        var attempt = random?.Next(0, 70_000) ?? 1;
        var delivery = new DeliveryReference(queueId, offset, random?.NextInt64() ?? 1);
        return new DeliveredMessage(
            record,
            new DeliveryContext(
                "ns%orders",
                queueId,
                new QueueOffset(offset),
                new LogPosition(64),
                attempt,
                new Receipt(1, 2, 3, delivery, attempt),
                TimeSpan.FromSeconds(30)),
            Receipts);
    }

    private static string? Maybe(Random random, Func<string> make) => random.Next(2) == 0 ? null : make();

    private static string Text(Random random, int lengthMin)
    {
        const string Letters = "aZ9 -_%ä€漢";
        var length = random.Next(lengthMin, random.Next(4) == 0 ? 300 : 12);
        return string.Concat(Enumerable.Range(0, length).Select(_ => Letters[random.Next(Letters.Length)]));
    }
}
