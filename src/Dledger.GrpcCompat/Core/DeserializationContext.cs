using System.Buffers;

namespace Grpc.Core;

/// <summary>The bytes of one received message, valid only while the marshaller runs.</summary>
public abstract class DeserializationContext
{
    /// <summary>Size of the message in bytes.</summary>
    public abstract int PayloadLength { get; }

    public virtual byte[] PayloadAsNewBuffer()
    {
        throw new NotSupportedException("This context does not offer that shape of the message.");
    }

    public virtual ReadOnlySequence<byte> PayloadAsReadOnlySequence()
    {
        throw new NotSupportedException("This context does not offer that shape of the message.");
    }
}
