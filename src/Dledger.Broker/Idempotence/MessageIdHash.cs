using System.Buffers.Binary;
using System.Security.Cryptography;
using Dledger.Broker.Messages;

namespace Dledger.Broker.Idempotence;

/// <summary>The 128 bits that stand for a message id in records and windows. Persisted, hence frozen.</summary>
internal static class MessageIdHash
{
    /// <summary>The first 16 bytes of SHA-256 over the UTF-8 text: two ids that agree in it are not found by chance or purpose.</summary>
    public static UInt128 Of(string messageId)
    {
        using var text = new Utf8Text(messageId, stackalloc byte[Utf8Text.StackBytes]);
        return Of(text.Bytes);
    }

    /// <summary>The same for the UTF-8 text itself.</summary>
    public static UInt128 Of(ReadOnlySpan<byte> messageId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(messageId, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
