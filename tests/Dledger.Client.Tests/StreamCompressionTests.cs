using System.Text;
using Dledger.Client.Errors;
using Dledger.Client.Producing;
using Dledger.Client.Streaming;
using Dledger.Protocol.Stream.V1;
using Google.Protobuf;

namespace Dledger.Client.Tests;

/// <summary>Batches as they are compressed here, and deliveries as they are unpacked.</summary>
public sealed class StreamCompressionTests
{
    [Theory]
    [InlineData(Compression.Lz4)]
    [InlineData(Compression.Zlib)]
    public void A_batch_that_was_compressed_is_read_with_the_store_time_of_its_delivery(Compression compression)
    {
        var delivery = Deliver(compression, out _);

        var messages = StreamDelivery.Of(delivery, "Reading");

        Assert.Equal(Enumerable.Range(0, 30).Select(Body), messages.Select(message => Encoding.UTF8.GetString(message.Body.Span)));
        Assert.Equal(Enumerable.Range(0, 30).Select(number => $"id-{number}"), messages.Select(message => message.MessageId));
        Assert.All(messages, message => Assert.Equal(DateTimeOffset.UnixEpoch.AddSeconds(5), message.StoreTime));
    }

    [Fact]
    public void What_is_small_or_hardly_shrinks_is_not_compressed()
    {
        var small = new RecordBuffer(hashesIds: false);
        small.Add(new OutgoingMessage("t", new byte[100]), "id", 1);
        var noise = new byte[20_000];
        new Random(1).NextBytes(noise);
        var random = new RecordBuffer(hashesIds: false);
        random.Add(new OutgoingMessage("t", noise), "id", 1);

        foreach (var records in (RecordBuffer[])[small, random])
        {
            records.Address(1, 0, false, 0, 0, 0);
            Assert.True(records.Compress(Primitives.Compression.Lz4, out _).IsEmpty);
            Assert.True(records.Compress(Primitives.Compression.Zlib, out _).IsEmpty);
        }
    }

    public static TheoryData<string> Faults => ["block", "size", "no size", "huge size", "unknown", "crc", "count"];

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_delivery_that_cannot_be_unpacked_is_a_fault_of_the_server(string fault)
    {
        var delivery = Deliver(Compression.Lz4, out var records, breaksRecord: fault == "crc");
        switch (fault)
        {
            case "block":
                delivery.Records = ByteString.CopyFrom(delivery.Records.Span[..^2]);
                break;
            case "size":
                delivery.UncompressedSize = records - 8;
                break;
            case "no size":
                delivery.UncompressedSize = 0;
                break;
            case "huge size":
                delivery.UncompressedSize = int.MaxValue;
                break;
            case "unknown":
                delivery.Compression = (Compression)9;
                break;
            case "count":
                delivery.Spans[0].Count++;
                delivery.Positions.Add(1);
                break;
        }

        Assert.Throws<ServerFaultException>(() => StreamDelivery.Of(delivery, "Reading"));
    }

    [Fact]
    public void A_compression_that_does_not_exist_is_no_option() => Assert.Throws<ArgumentOutOfRangeException>(
        () => new StreamProducerOptions { Compression = (BatchCompression)3 }.Check());

    private static string Body(int number) => $"order {number} of many orders {new string('x', 100)}";

    private static Delivery Deliver(Compression compression, out int recordBytes, bool breaksRecord = false)
    {
        var records = new RecordBuffer(hashesIds: false);
        for (var number = 0; number < 30; number++)
        {
            records.Add(new OutgoingMessage("t", Encoding.UTF8.GetBytes(Body(number))), $"id-{number}", 1);
        }

        records.Address(7, 0, false, 0, 0, 0);
        if (breaksRecord)
        {
            System.Runtime.InteropServices.MemoryMarshal.AsMemory(records.Written).Span[100] ^= 1;
        }

        recordBytes = records.Length;
        var packed = records.Compress((Primitives.Compression)compression, out _);
        Assert.InRange(packed.Length, 1, records.Length / 2);
        var delivery = new Delivery
        {
            Records = ByteString.CopyFrom(packed.Span),
            Compression = compression,
            UncompressedSize = records.Length,
            StoreTime = 5_000_000,
            Spans = { new MessageSpan { Count = 30, Attempt = 1 } },
        };
        delivery.Positions.AddRange(Enumerable.Range(0, 30).Select(number => 1_000L + (24 * number)));
        return delivery;
    }
}
