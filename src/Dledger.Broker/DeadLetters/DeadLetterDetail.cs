using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Primitives;

namespace Dledger.Broker.DeadLetters;

/// <summary>
/// What the copy of a dead letter keeps of its origin beside topic and message id: the content of one property. Layout: Commands/FORMAT.md.
/// </summary>
/// <param name="QueueId">The queue of the origin.</param>
/// <param name="Offset">Its queue offset.</param>
/// <param name="Attempts">How often it was delivered.</param>
/// <param name="Reason">Why it was given up.</param>
/// <param name="StoredAt">Log time at which the origin was stored.</param>
/// <param name="ClientId">Which client of a broadcast group gave it up; empty in other groups.</param>
internal readonly record struct DeadLetterDetail(
    int QueueId, long Offset, int Attempts, DeadLetterReason Reason, long StoredAt, string ClientId)
{
    private const byte FormatVersion = 2;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Int32(QueueId);
        writer.Int64(Offset);
        writer.UInt16(Attempts);
        writer.Byte((byte)Reason);
        writer.Int64(StoredAt);
        writer.Text(ClientId);
        return writer.ToArray();
    }

    public static DeadLetterDetail Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        reader.Version(FormatVersion);
        var detail = new DeadLetterDetail(
            reader.Int32(), reader.Int64(), reader.UInt16(), (DeadLetterReason)reader.Byte(), reader.Int64(), reader.Text());
        reader.End();
        return detail;
    }

    public DeadLetterOrigin ToOrigin(string topic, string messageId) =>
        new(topic, messageId, QueueId, new QueueOffset(Offset), Attempts, Reason, StoredAt, ClientId);
}
