using Dledger.Primitives;

namespace Dledger.Broker.Commands;

/// <summary>What a <see cref="ParkingCommand"/> asks for. Persisted numbers.</summary>
internal enum ParkingAction : byte
{
    /// <summary>A receiver gives up on one delivery: what the group does with poison messages is done at once.</summary>
    GiveUp = 0,

    /// <summary>Parked messages are handed out again, as if they had never been delivered.</summary>
    Release = 1,

    /// <summary>Parked messages move to the dead letter topic.</summary>
    Drop = 2,
}

/// <summary>Body of a Parking record. Layout: FORMAT.md.</summary>
/// <param name="Action">What happens.</param>
/// <param name="GroupId">The consumer group.</param>
/// <param name="TopicId">The topic; 0: all topics of the group.</param>
/// <param name="QueueId">The queue; -1: all queues.</param>
/// <param name="Offset">The message; -1: all of the selection.</param>
/// <param name="GroupHash">The message group, see <see cref="Messages.IndexHash"/>; null: whatever it is.</param>
/// <param name="DeliveryId">The delivery that is given up; else 0.</param>
internal sealed record ParkingCommand(
    ParkingAction Action, int GroupId, int TopicId, int QueueId, long Offset, int? GroupHash, long DeliveryId)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Byte((byte)Action);
        writer.Int32(GroupId);
        writer.Int32(TopicId);
        writer.Int32(QueueId);
        writer.Int64(Offset);
        writer.Flag(GroupHash.HasValue);
        writer.Int32(GroupHash ?? 0);
        writer.Int64(DeliveryId);
        return writer.ToArray();
    }

    public static ParkingCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var action = (ParkingAction)reader.Byte();
        Invariant.Check(Enum.IsDefined(action), $"a stored parking has action {(byte)action}");
        var groupId = reader.Int32();
        var topicId = reader.Int32();
        var queueId = reader.Int32();
        var offset = reader.Int64();
        var hasHash = reader.Flag();
        var hash = reader.Int32();
        var deliveryId = reader.Int64();
        reader.End();
        return new ParkingCommand(action, groupId, topicId, queueId, offset, hasHash ? hash : null, deliveryId);
    }
}
