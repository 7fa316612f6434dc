using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Dledger.Broker.Commands;

namespace Dledger.Broker.Receipts;

/// <summary>Receipts as the text that clients carry around.</summary>
/// <remarks>
/// 45 bytes in base64url, 60 characters, little-endian:
///   0         1           3         7         11        15       23           31        33      45
///   | version | raftGroup | groupId | topicId | queueId | offset | deliveryId | attempt | mac   |
/// The MAC is the first 12 bytes of HMAC-SHA-256 over bytes 0..32 under a key derived from the cluster id: it tells our
/// handles from invented and garbled ones; it is no secret towards who knows the cluster id. Immutable, any thread.
/// Its text is frozen by AckTests.
/// </remarks>
internal sealed class ReceiptCodec
{
    /// <summary>Characters of a handle.</summary>
    public const int TextLength = 60;

    private const byte Version = 1;
    private const int ContentBytes = 33;
    private const int MacBytes = 12;

    private readonly byte[] _key;

    public ReceiptCodec(Guid clusterId) =>
        _key = SHA256.HashData([.. "dledger receipt v1 "u8, .. clusterId.ToByteArray()]);

    /// <summary>The handle of a receipt.</summary>
    public string Encode(in Receipt receipt)
    {
        Span<byte> text = stackalloc byte[TextLength];
        Encode(receipt, text);
        return Encoding.ASCII.GetString(text);
    }

    /// <summary>The same as ASCII, into exactly <see cref="TextLength"/> bytes.</summary>
    public void Encode(in Receipt receipt, Span<byte> text)
    {
        Span<byte> bytes = stackalloc byte[ContentBytes + MacBytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[1..], checked((ushort)receipt.RaftGroup));
        BinaryPrimitives.WriteInt32LittleEndian(bytes[3..], receipt.GroupId);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[7..], receipt.TopicId);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[11..], receipt.Delivery.QueueId);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[15..], receipt.Delivery.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[23..], receipt.Delivery.DeliveryId);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[31..], (ushort)Math.Min(receipt.Attempt, ushort.MaxValue));
        WriteMac(bytes[..ContentBytes], bytes[ContentBytes..]);
        Base64Url.EncodeToUtf8(bytes, text);
    }

    /// <summary>False for any text that this cluster never gave out.</summary>
    public bool TryDecode(string? handle, out Receipt receipt)
    {
        receipt = default;
        Span<byte> text = stackalloc byte[TextLength];
        Span<byte> bytes = stackalloc byte[ContentBytes + MacBytes];
        if (handle is null
            || handle.Length != TextLength
            || !Ascii.IsValid(handle)
            || !Encoding.ASCII.TryGetBytes(handle, text, out _)
            || !Base64Url.IsValid(text, out var length)
            || length != bytes.Length
            || !Base64Url.TryDecodeFromUtf8(text, bytes, out _))
        {
            return false;
        }

        Span<byte> mac = stackalloc byte[MacBytes];
        WriteMac(bytes[..ContentBytes], mac);
        if (bytes[0] != Version || !CryptographicOperations.FixedTimeEquals(mac, bytes[ContentBytes..]))
        {
            return false;
        }

        receipt = new Receipt(
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[1..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[3..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[7..]),
            new DeliveryReference(
                BinaryPrimitives.ReadInt32LittleEndian(bytes[11..]),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[15..]),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[23..])),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[31..]));
        return true;
    }

    private void WriteMac(ReadOnlySpan<byte> content, Span<byte> destination)
    {
        Span<byte> mac = stackalloc byte[SHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, content, mac);
        mac[..MacBytes].CopyTo(destination);
    }
}
