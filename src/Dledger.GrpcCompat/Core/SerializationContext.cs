using System.Buffers;

namespace Grpc.Core;

/// <summary>Where a marshaller puts one message: whole, or piece by piece.</summary>
public abstract class SerializationContext
{
    /// <summary>Hands over the whole message.</summary>
    public virtual void Complete(byte[] payload)
    {
        throw new NotSupportedException("This context does not offer that shape of the message.");
    }

    /// <summary>The buffer for a message written piece by piece; ended by <see cref="Complete()"/>.</summary>
    public virtual IBufferWriter<byte> GetBufferWriter()
    {
        throw new NotSupportedException("This context does not offer that shape of the message.");
    }

    /// <summary>Announces the exact size in bytes, which spares a copy.</summary>
    public virtual void SetPayloadLength(int payloadLength)
    {
    }

    public virtual void Complete()
    {
        throw new NotSupportedException("This context does not offer that shape of the message.");
    }
}
