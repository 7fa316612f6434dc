using System.Buffers;
using Grpc.Core;

namespace Dledger.GrpcCompat.Wire;

/// <summary>Shows one received message to its marshaller; used again for every message of a call.</summary>
internal sealed class ReceivedPayload : DeserializationContext
{
    private ReadOnlySequence<byte> _payload;

    public override int PayloadLength => (int)_payload.Length;

    public void Set(ReadOnlySequence<byte> payload)
    {
        _payload = payload;
    }

    public override byte[] PayloadAsNewBuffer()
    {
        return _payload.ToArray();
    }

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence()
    {
        return _payload;
    }
}
