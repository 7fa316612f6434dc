using Dledger.Broker.Commands;
using Dledger.Primitives;

namespace Dledger.Broker.Transactions;

/// <summary>The part of a state checkpoint that holds the transactions. Layout: Checkpoints/FORMAT.md.</summary>
internal static class TransactionsPart
{
    public const string Name = "transactions";

    private const byte FormatVersion = 1;
    private const int PartBytes = 12;

    public static ReadOnlyMemory<byte> Write(TransactionTable table, bool withOpen = true)
    {
        var writer = new ByteWriter(1024);
        writer.Byte(FormatVersion);
        WriteHalves(writer, withOpen ? table.Open : []);
        WriteHalves(writer, table.Owed);
        writer.Int32(table.Discarded.Count);
        foreach (var entry in table.Discarded)
        {
            writer.Int64(entry.Id);
            writer.Int32(entry.TopicId);
            writer.Int32(entry.QueueId);
            writer.Text(entry.MessageId);
            writer.Int64(entry.StoredAt);
            writer.Int32(entry.Checks);
            WriteParts(writer, entry.Parts);
            writer.Byte((byte)entry.Decision);
            writer.Byte((byte)entry.Decider);
            writer.Int64(entry.DecidedAt);
        }

        writer.Int32(table.Decisions.Count);
        foreach (var (id, decision) in table.Decisions.All)
        {
            writer.Int64(id);
            writer.Byte((byte)decision);
        }

        return writer.Written;
    }

    public static void Read(byte[] part, TransactionTable table)
    {
        var reader = new ByteReader(part);
        reader.Version(FormatVersion);
        ReadHalves(ref reader, table, isOwed: false);
        ReadHalves(ref reader, table, isOwed: true);
        for (var left = reader.Count(1); left > 0; left--)
        {
            table.Restore(new DiscardedTransaction(
                reader.Int64(),
                reader.Int32(),
                reader.Int32(),
                reader.Text(),
                reader.Int64(),
                reader.Int32(),
                ReadParts(ref reader),
                (TransactionDecision)reader.Byte(),
                (TransactionDecider)reader.Byte(),
                reader.Int64()));
        }

        for (var left = reader.Count(9); left > 0; left--)
        {
            var id = reader.Int64();
            table.Decisions.Add(id, (TransactionDecision)reader.Byte());
        }

        reader.End();
    }

    private static void WriteHalves(ByteWriter writer, IReadOnlyCollection<HalfTransaction> halves)
    {
        writer.Int32(halves.Count);
        foreach (var half in halves)
        {
            writer.Int64(half.Id);
            writer.Int32(half.TopicId);
            writer.Int32(half.QueueId);
            writer.Text(half.MessageId);
            writer.Int64(half.StoredAt);
            writer.Int64(half.NextCheckAt);
            writer.Int32(half.Checks);
            writer.Int32(half.Published);
            WriteParts(writer, half.Parts);
        }
    }

    private static void ReadHalves(ref ByteReader reader, TransactionTable table, bool isOwed)
    {
        for (var left = reader.Count(1); left > 0; left--)
        {
            var id = reader.Int64();
            var topicId = reader.Int32();
            var queueId = reader.Int32();
            var messageId = reader.Text();
            var storedAt = reader.Int64();
            var nextCheckAt = reader.Int64();
            var checks = reader.Int32();
            var published = reader.Int32();
            var parts = ReadParts(ref reader);
            var half = new HalfTransaction
            {
                Id = id,
                TopicId = topicId,
                QueueId = queueId,
                MessageId = messageId,
                StoredAt = storedAt,
                NextCheckAt = nextCheckAt,
                Checks = checks,
                Published = published,
                Count = parts.Length,
            };
            half.Parts.AddRange(parts);
            table.Restore(half, isOwed);
        }
    }

    private static void WriteParts(ByteWriter writer, IReadOnlyList<HalfPart> parts)
    {
        writer.Int32(parts.Count);
        foreach (var part in parts)
        {
            writer.Int64(part.Position.Value);
            writer.Int32(part.Size);
        }
    }

    private static HalfPart[] ReadParts(ref ByteReader reader)
    {
        var parts = new HalfPart[reader.Count(PartBytes)];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = new HalfPart(new LogPosition(reader.Int64()), reader.Int32());
        }

        return parts;
    }
}
