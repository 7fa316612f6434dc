using Dledger.Broker.Idempotence;
using Dledger.Broker.Messages;
using Dledger.Broker.Streaming;
using Dledger.Broker.Tests.Simulation;
using Dledger.Primitives;
using Dledger.Storage.Frames;
using Dledger.Storage.Records;

namespace Dledger.Broker.Tests.Streaming;

/// <summary>Batches as a client makes them that compresses.</summary>
internal static class PackedBatches
{
    /// <summary>The records of a batch for the first queue of a topic.</summary>
    public static byte[] Encode(TestBroker broker, string topic, ProducerSequence? sequence, params MessageDraft[] drafts)
    {
        Assert.True(MessageEncoder.TryEncode(
            drafts, broker.Node.FindTopic(topic)!, 0, sequence, broker.Node.Machine.Topics, out var records, out _));
        var bytes = records.Span.ToArray();
        records.Return();
        return bytes;
    }

    public static CompressedBatch Pack(byte[] records, Compression compression = Compression.Lz4)
    {
        var block = new byte[(records.Length * 2) + 64];
        Assert.True(CompressionCodec.TryCompress(compression, records, block, out var length));
        return new CompressedBatch(compression, block.AsMemory(0, length), records.Length);
    }

    /// <summary>Sends messages as one compressed batch.</summary>
    public static Task<BatchOutcome> SendPacked(
        this TestBroker broker,
        string topic,
        IReadOnlyList<MessageDraft> drafts,
        ProducerSequence? sequence = null,
        Compression compression = Compression.Lz4)
    {
        var batch = Pack(Encode(broker, topic, sequence, [.. drafts]), compression);
        return broker.Run(node => node.AppendAsync(topic, batch, drafts.Count, "", CancellationToken.None));
    }

    /// <summary>Messages m0, m1 and so on, with bodies that shrink.</summary>
    public static List<MessageDraft> Drafts(int count, int first = 0) =>
        [.. Enumerable.Range(first, count).Select(number => TestBroker.Draft($"m{number}-{new string('x', 200)}") with
        {
            MessageId = $"id-m{number}",
            Tag = number % 2 == 0 ? "even" : "odd",
            Keys = [$"key-{number}", "all"],
            UserProperties = [new("n", $"{number}")],
        })];

    /// <summary>Which of <see cref="Drafts"/> a message is.</summary>
    public static string Name(DeliveredMessage message) => TestBroker.Text(message).Split('-')[0];

    /// <summary>The kinds of the records in the newest frame.</summary>
    public static List<RecordKind> LastKinds(TestBroker broker)
    {
        var kinds = new List<RecordKind>();
        foreach (var record in new RecordEnumerator(broker.Log.Frames[^1].AsSpan(FrameHeader.Size), LogPosition.Zero))
        {
            kinds.Add(record.Kind);
        }

        return kinds;
    }
}
