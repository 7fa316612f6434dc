using System.Buffers;
using Dledger.Frontend.Streaming;
using Dledger.Protocol.Stream.V1;
using Google.Protobuf;

namespace Dledger.Frontend.Tests.Streaming;

/// <summary>Whatever the bytes are, a frame says what generated code makes of them.</summary>
public sealed class ProduceFrameTests
{
    private static readonly RecordBatch Usual = new()
    {
        Handle = 4_095,
        Number = ulong.MaxValue,
        Count = 100,
        Records = ByteString.CopyFrom(Enumerable.Range(0, 70_000).Select(index => (byte)index).ToArray()),
    };

    public static TheoryData<string, byte[]> Encodings()
    {
        var usual = new ProduceRequest { Batch = Usual }.ToByteArray();
        var open = new ProduceRequest { Open = new OpenTopic { Handle = 7, Topic = "orders" } }.ToByteArray();
        var packed = new RecordBatch(Usual) { Compression = (Compression)1, UncompressedSize = 200_000 };
        var inner = Usual.ToByteArray();
        var number = new RecordBatch { Number = 5 }.ToByteArray();
        return new TheoryData<string, byte[]>
        {
            { "nothing", [] },
            { "open", open },
            { "a batch", usual },
            { "a compressed batch", new ProduceRequest { Batch = packed }.ToByteArray() },
            { "an empty batch", new ProduceRequest { Batch = new RecordBatch() }.ToByteArray() },
            { "negative numbers", new ProduceRequest { Batch = new RecordBatch { Count = -1, UncompressedSize = int.MinValue } }.ToByteArray() },
            { "a batch behind an open", [.. open, .. usual] },
            { "an open behind a batch", [.. usual, .. open] },
            { "a batch in two pieces", [.. usual, .. Field(2, number)] },
            { "a field twice", Field(2, [.. inner, .. number]) },
            { "records twice", Field(2, [.. inner, .. Field(4, [1, 2, 3])]) },
            { "fields in another order", Field(2, [.. Field(4, [9, 9, 9, 9, 9]), .. number]) },
            { "an unknown field in the batch", Field(2, [.. inner, .. Field(15, [1, 2])]) },
            { "an unknown field beside the batch", [.. usual, .. Field(15, [1, 2])] },
            { "a number as a piece of bytes", Field(2, [.. Field(2, [1, 2, 3]), .. Field(4, [1])]) },
            { "records as a number", Field(2, [4 << 3, 17]) },
            { "a long number", Field(2, [3 << 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]) },
            { "a number without end", Field(2, [3 << 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]) },
            { "a batch cut short", usual[..^1] },
            { "records longer than the batch", Field(2, [(4 << 3) | 2, 100, 1, 2, 3]) },
            { "a length without end", [(2 << 3) | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] },
            { "field number 0", Field(2, [0, 1]) },
            { "garbage", [0xff, 0xfe, 0xfd] },
        };
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void A_frame_says_what_generated_code_reads(string what, byte[] bytes)
    {
        foreach (var pieceBytes in new[] { int.MaxValue, 1, 7, 4_096 })
        {
            var payload = Pieces.Of(bytes, pieceBytes);
            var expected = Outcome(() => ProduceRequest.Parser.ParseFrom(bytes));

            Assert.True(
                expected == Outcome(() => ProduceFrame.Parse(payload).ToRequest()), $"{what}, in pieces of {pieceBytes} bytes");
        }
    }

    [Fact]
    public void Bytes_that_are_flipped_cut_and_repeated_are_read_alike()
    {
        for (var seed = 1; seed <= 20_000; seed++)
        {
            var random = new Random(seed);
            var batch = new RecordBatch
            {
                Handle = (uint)random.Next(10),
                Number = (ulong)random.NextInt64(),
                Count = random.Next(-5, 200),
                Records = ByteString.CopyFrom(new byte[random.Next(40)]),
                UncompressedSize = random.Next(3),
            };
            var bytes = new ProduceRequest { Batch = batch }.ToByteArray();
            for (var change = random.Next(4); change > 0 && bytes.Length > 0; change--)
            {
                var at = random.Next(bytes.Length);
                bytes = random.Next(3) switch
                {
                    0 => [.. bytes[..at], (byte)random.Next(256), .. bytes[(at + 1)..]],
                    1 => bytes[..at],
                    _ => [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]],
                };
            }

            var expected = Outcome(() => ProduceRequest.Parser.ParseFrom(bytes));
            Assert.True(expected == Outcome(() => ProduceFrame.Parse(new(bytes)).ToRequest()), $"seed {seed}");
        }
    }

    [Fact]
    public void Memory_that_was_returned_serves_the_next_frame()
    {
        var payload = new ReadOnlySequence<byte>(new ProduceRequest { Batch = Usual }.ToByteArray());
        ProduceFrame.Parse(payload).Return();

        var before = GC.GetAllocatedBytesForCurrentThread();
        var frame = ProduceFrame.Parse(payload);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        frame.Return();
        frame.Return();

        Assert.InRange(allocated, 1, 200);
    }

    // Unknown fields are forgotten by a frame; nobody reads them.
    private static string Outcome(Func<ProduceRequest> parse)
    {
        try
        {
            var request = parse();
            return request.Batch is { } batch
                ? $"{batch.Handle} {batch.Number} {batch.Count} {batch.Compression} {batch.UncompressedSize} {batch.Records.ToBase64()}"
                : $"{request.RequestCase} {request.Open?.Handle} {request.Open?.Topic}";
        }
        catch (InvalidProtocolBufferException)
        {
            return "refused";
        }
    }

    private static byte[] Field(int number, byte[] content)
    {
        using var stream = new MemoryStream();
        using var output = new CodedOutputStream(stream);
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(content));
        output.Flush();
        return stream.ToArray();
    }

    private sealed class Pieces : ReadOnlySequenceSegment<byte>
    {
        private Pieces(ReadOnlyMemory<byte> memory, long at)
        {
            Memory = memory;
            RunningIndex = at;
        }

        public static ReadOnlySequence<byte> Of(byte[] bytes, int pieceBytes)
        {
            if (bytes.Length <= pieceBytes)
            {
                return new(bytes);
            }

            var first = new Pieces(bytes.AsMemory(0, pieceBytes), 0);
            var last = first;
            for (var at = pieceBytes; at < bytes.Length; at += pieceBytes)
            {
                var next = new Pieces(bytes.AsMemory(at, Math.Min(pieceBytes, bytes.Length - at)), at);
                last.Next = next;
                last = next;
            }

            return new(first, 0, last, last.Memory.Length);
        }
    }
}
