using Dledger.Broker.Commands;
using Dledger.Broker.StateMachine;

namespace Dledger.Broker.Lites;

/// <summary>The part of a state checkpoint that holds the lite topics. Layout: Checkpoints/FORMAT.md.</summary>
internal static class LitesPart
{
    public const string Name = "lites";

    private const byte FormatVersion = 1;

    public static ReadOnlyMemory<byte> Write(BrokerState state)
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Int32(state.Topics.LiteParentCount);
        foreach (var topic in state.Topics.All)
        {
            if (topic.Lites is not { } lites)
            {
                continue;
            }

            writer.Int32(topic.Id);
            writer.Int32(lites.Count);
            foreach (var lite in lites.All)
            {
                writer.Int32(lite.QueueId);
                writer.Text(lite.Name);
                writer.Int64(lite.CreatedAt);
                writer.Int64(lite.FirstOffset);
                writer.Int64(lite.LastActive);
            }
        }

        return writer.Written;
    }

    /// <summary>Fills the tables of the topics, which are there already.</summary>
    public static void Read(byte[] part, BrokerState state)
    {
        var reader = new ByteReader(part);
        reader.Version(FormatVersion);
        for (var left = reader.Count(8); left > 0; left--)
        {
            var lites = state.Topics.Find(reader.Int32())!.Lites!;
            for (var count = reader.Count(30); count > 0; count--)
            {
                var queueId = reader.Int32();
                lites.Add(new LiteTopic(reader.Text(), queueId, reader.Int64(), reader.Int64()) { LastActive = reader.Int64() });
            }
        }

        reader.End();
    }
}
