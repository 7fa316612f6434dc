using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Streaming;

/// <summary>Makes the one record of a batch that stays compressed: in front of the block, what applying it has to know.</summary>
internal static class BatchEncoder
{
    /// <summary>
    /// Encodes into rented memory; false when that would not be smaller than the records are by themselves.
    /// </summary>
    /// <param name="records">Checked, as they were before they were compressed.</param>
    /// <param name="count">How many they are.</param>
    /// <param name="batch">What they were compressed to.</param>
    /// <param name="encoded">The record.</param>
    public static bool TryEncode(ReadOnlySpan<byte> records, int count, in CompressedBatch batch, out RecordBuffer encoded)
    {
        encoded = default;
        var table = Survey(records, count, batch, out var first);
        var fields = new RecordFields
        {
            Kind = RecordKind.MessageBatch,
            TopicId = first.TopicId,
            QueueId = first.QueueId,
            BornTime = first.BornTime,
            ProducerEpoch = first.ProducerEpoch,
            ProducerId = first.ProducerId,
            Sequence = first.Sequence,
        };
        var length = RecordHeader.Measure(fields.Flags, 0, 0, 0) + table.Length + batch.Block.Length;
        if (length >= records.Length)
        {
            return false;
        }

        var bodyLength = (int)table.Length + batch.Block.Length;
        encoded = RecordBuffer.Rent((int)RecordEncoder.Measure(fields, 0, 0, bodyLength));
        var parts = RecordEncoder.Lay(fields, 0, 0, bodyLength, encoded.Span);
        table.Write(parts.Body);
        Fill(records, table, parts.Body);
        batch.Block.Span.CopyTo(parts.Body[(int)table.Length..]);
        parts.Close();
        return true;
    }

    private static BatchTable Survey(ReadOnlySpan<byte> records, int count, in CompressedBatch batch, out RecordHeader first)
    {
        var keys = default(KeyCount);
        var hasLifetimes = false;
        first = default;
        for (int index = 0, at = 0; index < count; index++)
        {
            var record = Parse(records[at..]);
            first = index == 0 ? record.Header : first;
            MessageKeys.AddTo(record, ref keys);
            hasLifetimes |= TimeToLive.IsSet(new PropertyEnumerator(record.Properties));
            at += record.Length;
        }

        return new BatchTable(batch.Compression, hasLifetimes, count, records.Length, keys.Count);
    }

    private static void Fill(ReadOnlySpan<byte> records, in BatchTable table, Span<byte> body)
    {
        var keys = new KeyWriter(table, body);
        for (int index = 0, at = 0; index < table.Count; index++)
        {
            var record = Parse(records[at..]);
            MessageKeys.AddTo(record, ref keys);
            table.WriteRow(
                body, index, new BatchRow(BatchTable.DistanceOf(index), at, record.Length, keys.Count, IndexHash.Of(record)));
            at += record.Length;
        }
    }

    private static RecordView Parse(ReadOnlySpan<byte> source)
    {
        Invariant.Check(RecordView.TryParseUnchecked(source, out var record, out var fault), $"a checked record: {fault}");
        return record;
    }

    private struct KeyCount : IKeySink
    {
        public int Count { get; private set; }

        public void Add(ulong hash) => Count++;
    }

    private ref struct KeyWriter(BatchTable table, Span<byte> body) : IKeySink
    {
        private readonly Span<byte> _body = body;

        public int Count { get; private set; }

        public void Add(ulong hash) => table.WriteKey(_body, Count++, hash);
    }
}
