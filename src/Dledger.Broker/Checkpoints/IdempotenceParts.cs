using Dledger.Broker.Commands;
using Dledger.Broker.Idempotence;
using Dledger.Broker.Messages;
using Dledger.Broker.StateMachine;
using Dledger.Primitives;

namespace Dledger.Broker.Checkpoints;

/// <summary>The parts of a checkpoint that tell repeats from new messages. Layout: FORMAT.md.</summary>
internal static class IdempotenceParts
{
    public const string IdsPart = "ids";
    public const string ProducersPart = "producers";

    private const byte FormatVersion = 1;
    private const int IdBytes = 44;
    private const int RunBytes = 36;

    public static ReadOnlyMemory<byte> WriteIds(BrokerState state, SeededDefect defect)
    {
        var topics = state.Topics.All.Where(topic => topic.KnownIds.Count > 0 && defect != SeededDefect.KnownIdsNotInCheckpoint).ToArray();
        var writer = new ByteWriter(64 + (IdBytes * topics.Sum(topic => topic.KnownIds.Count)));
        writer.Byte(FormatVersion);
        writer.Int32(topics.Length);
        foreach (var topic in topics)
        {
            writer.Int32(topic.Id);
            writer.Int32(topic.KnownIds.Count);
            foreach (var (hash, first) in topic.KnownIds.All)
            {
                writer.UInt128(hash);
                writer.Int32(first.QueueId);
                writer.Int64(first.QueueOffset.Value);
                writer.Int64(first.Position.Value);
                writer.Int64(first.StoreTimeMicroseconds);
            }
        }

        return writer.Written;
    }

    public static void ReadIds(byte[] part, BrokerState state)
    {
        var reader = new ByteReader(part);
        reader.Version(FormatVersion);
        for (var topics = reader.Count(8); topics > 0; topics--)
        {
            var id = reader.Int32();
            var topic = state.Topics.Find(id);
            Invariant.Check(topic is not null, $"topic {id}, whose message ids are stored, exists");
            for (var left = reader.Count(IdBytes); left > 0; left--)
            {
                var hash = reader.UInt128();
                topic.KnownIds.Add(hash, new AppendedMessage(
                    reader.Int32(), new QueueOffset(reader.Int64()), new LogPosition(reader.Int64()), reader.Int64()));
            }
        }

        reader.End();
    }

    public static ReadOnlyMemory<byte> WriteProducers(BrokerState state)
    {
        var writer = new ByteWriter(1024);
        writer.Byte(FormatVersion);
        writer.Int32(state.Producers.Count);
        foreach (var producer in state.Producers.All)
        {
            writer.Int64(producer.Id);
            writer.UInt16(producer.Epoch);
            writer.Text(producer.Name);
            writer.Int64(producer.ExpiryMicroseconds);
            writer.Int64(producer.UsedAt);
            writer.Int32(producer.Topics.Count);
            foreach (var sequence in producer.Topics.Values)
            {
                writer.Int32(sequence.TopicId);
                writer.Int32(sequence.Last);
                writer.Int32(sequence.Runs.Count);
                foreach (var run in sequence.Runs)
                {
                    writer.Int32(run.First);
                    writer.Int32(run.Count);
                    writer.Int32(run.QueueId);
                    writer.Int64(run.FirstOffset);
                    writer.Int64(run.Position);
                    writer.Int64(run.StoreTime);
                }
            }
        }

        return writer.Written;
    }

    public static void ReadProducers(byte[] part, BrokerState state)
    {
        var reader = new ByteReader(part);
        reader.Version(FormatVersion);
        for (var left = reader.Count(28); left > 0; left--)
        {
            var id = reader.Int64();
            var epoch = reader.UInt16();
            var producer = new ProducerState(id, reader.Text(), epoch)
            {
                ExpiryMicroseconds = reader.Int64(),
                UsedAt = reader.Int64(),
            };
            for (var topics = reader.Count(12); topics > 0; topics--)
            {
                var sequence = new TopicSequence(reader.Int32()) { Last = reader.Int32() };
                for (var runs = reader.Count(RunBytes); runs > 0; runs--)
                {
                    sequence.Restore(new SequenceRun(
                        reader.Int32(), reader.Int32(), reader.Int32(), reader.Int64(), reader.Int64(), reader.Int64()));
                }

                producer.Topics.Add(sequence.TopicId, sequence);
            }

            state.Producers.Restore(producer);
        }

        reader.End();
    }
}
