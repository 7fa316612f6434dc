using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Dledger.Broker.Transactions;

/// <summary>Transaction ids as the text that producers carry around.</summary>
/// <remarks>
/// 27 bytes in base64url, 36 characters, little-endian:
///   0         1           3         7          15     27
///   | version | raftGroup | topicId | position | mac  |
/// The MAC is the first 12 bytes of HMAC-SHA-256 over bytes 0..14 under a key derived from the cluster id: it tells our ids from
/// invented and garbled ones; it is no secret towards who knows the cluster id. Immutable, any thread.
/// </remarks>
internal sealed class TransactionIdCodec
{
    /// <summary>Characters of an id.</summary>
    public const int TextLength = 36;

    private const byte Version = 1;
    private const int ContentBytes = 15;
    private const int MacBytes = 12;

    private readonly byte[] _key;

    public TransactionIdCodec(Guid clusterId) =>
        _key = SHA256.HashData([.. "dledger transaction v1 "u8, .. clusterId.ToByteArray()]);

    public string Encode(int raftGroup, int topicId, long id)
    {
        Span<byte> bytes = stackalloc byte[ContentBytes + MacBytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[1..], checked((ushort)raftGroup));
        BinaryPrimitives.WriteInt32LittleEndian(bytes[3..], topicId);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[7..], id);
        WriteMac(bytes[..ContentBytes], bytes[ContentBytes..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>False for any text that this cluster never gave out.</summary>
    public bool TryDecode(string text, out int raftGroup, out int topicId, out long id)
    {
        (raftGroup, topicId, id) = (0, 0, 0);
        Span<byte> ascii = stackalloc byte[TextLength];
        Span<byte> bytes = stackalloc byte[ContentBytes + MacBytes];
        if (text.Length != TextLength
            || !Ascii.IsValid(text)
            || !Encoding.ASCII.TryGetBytes(text, ascii, out _)
            || !Base64Url.IsValid(ascii, out var length)
            || length != bytes.Length
            || !Base64Url.TryDecodeFromUtf8(ascii, bytes, out _))
        {
            return false;
        }

        Span<byte> mac = stackalloc byte[MacBytes];
        WriteMac(bytes[..ContentBytes], mac);
        if (bytes[0] != Version || !CryptographicOperations.FixedTimeEquals(mac, bytes[ContentBytes..]))
        {
            return false;
        }

        raftGroup = BinaryPrimitives.ReadUInt16LittleEndian(bytes[1..]);
        topicId = BinaryPrimitives.ReadInt32LittleEndian(bytes[3..]);
        id = BinaryPrimitives.ReadInt64LittleEndian(bytes[7..]);
        return true;
    }

    private void WriteMac(ReadOnlySpan<byte> content, Span<byte> destination)
    {
        Span<byte> mac = stackalloc byte[SHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, content, mac);
        mac[..MacBytes].CopyTo(destination);
    }
}
