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
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        using var text = new Utf8Text(messageId, stackalloc byte[Utf8Text.StackBytes]);
        SHA256.HashData(text.Bytes, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
