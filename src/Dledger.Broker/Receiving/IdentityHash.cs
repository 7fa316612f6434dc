using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Dledger.Broker.Messages;

namespace Dledger.Broker.Receiving;

/// <summary>
/// Fixed-size names for client and attempt ids in records: the first bytes of SHA-256 over the UTF-8 text.
/// </summary>
internal static class IdentityHash
{
    public static long OfClient(string clientId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        using var text = new Utf8Text(clientId, stackalloc byte[Utf8Text.StackBytes]);
        SHA256.HashData(text.Bytes, hash);
        return BinaryPrimitives.ReadInt64LittleEndian(hash);
    }

    /// <summary>
    /// Never 0, which stands for "no attempt id". The client id is part of it: attempts of two clients differ.
    /// </summary>
    public static UInt128 OfAttempt(string clientId, string attemptId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{clientId}\n{attemptId}"), hash);
        var value = BinaryPrimitives.ReadUInt128LittleEndian(hash);
        return value == UInt128.Zero ? UInt128.One : value;
    }
}
