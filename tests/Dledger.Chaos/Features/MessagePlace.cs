using Apache.Rocketmq.V2;

namespace Dledger.Chaos.Features;

/// <summary>Where a message lies in its topic: what tells a repeated delivery from a message that was stored twice.</summary>
internal readonly record struct MessagePlace(int Queue, long Offset)
{
    public static MessagePlace Of(Message message) => new(message.SystemProperties.QueueId, message.SystemProperties.QueueOffset);

    public override string ToString() => $"{Queue}/{Offset}";
}
