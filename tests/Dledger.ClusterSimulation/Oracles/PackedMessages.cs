using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>The messages of batches that stay compressed, read once more by what the format says.</summary>
internal static class PackedMessages
{
    /// <summary>Each with its position, as the broker has to hand it out.</summary>
    public static List<(LogPosition Position, byte[] Record)> Of(in RecordView batch, LogPosition position)
    {
        var messages = new List<(LogPosition Position, byte[] Record)>();
        Invariant.Check(BatchTable.TryParse(batch.Body, out var table), $"the batch at {position} has a table");
        var records = new byte[table.UncompressedSize];
        Invariant.Check(
            CompressionCodec.TryDecompress(table.Compression, table.Block(batch.Body), records), $"the batch at {position} can be unpacked");
        for (int at = 0, index = 0; at < records.Length; index++)
        {
            Invariant.Check(RecordView.TryParse(records.AsSpan(at), out var record, out var fault), $"a record of the batch at {position}: {fault}");
            var place = position + BatchTable.DistanceOf(index);
            var bytes = record.Bytes.ToArray();
            RecordView.Seal(bytes, place, batch.StoreTime);
            messages.Add((place, bytes));
            at += record.Length;
        }

        Invariant.Check(messages.Count == table.Count, $"the batch at {position} has {messages.Count} messages, {table.Count} rows");
        return messages;
    }

    /// <summary>A record of them.</summary>
    public static RecordView Parse(Checks checks, LogPosition position, byte[] bytes)
    {
        checks.Check("I7", RecordView.TryParseSealed(bytes, position, out var record, out var fault), $"the message at {position}: {fault}");
        return record;
    }
}
