using System.Buffers;
using Dledger.GrpcCompat.Wire;

namespace Grpc.Core;

/// <summary>Turns messages of one type into bytes and back. Safe for any thread.</summary>
public class Marshaller<T>
{
    public Marshaller(Func<T, byte[]> serializer, Func<byte[], T> deserializer)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        ArgumentNullException.ThrowIfNull(deserializer);
        Serializer = serializer;
        Deserializer = deserializer;
        ContextualSerializer = (message, context) => context.Complete(serializer(message));
        ContextualDeserializer = context => deserializer(context.PayloadAsNewBuffer());
    }

    public Marshaller(Action<T, SerializationContext> serializer, Func<DeserializationContext, T> deserializer)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        ArgumentNullException.ThrowIfNull(deserializer);
        ContextualSerializer = serializer;
        ContextualDeserializer = deserializer;
        Serializer = SerializeToArray;
        Deserializer = DeserializeFromArray;
    }

    public Func<T, byte[]> Serializer { get; }

    public Func<byte[], T> Deserializer { get; }

    public Action<T, SerializationContext> ContextualSerializer { get; }

    public Func<DeserializationContext, T> ContextualDeserializer { get; }

    private byte[] SerializeToArray(T message)
    {
        var framed = new ArrayBufferWriter<byte>();
        new MessageWriter(null).Write(this, message, framed, null);
        return framed.WrittenSpan[MessagePrefix.Bytes..].ToArray();
    }

    private T DeserializeFromArray(byte[] payload)
    {
        var context = new ReceivedPayload();
        context.Set(new ReadOnlySequence<byte>(payload));
        return ContextualDeserializer(context);
    }
}
