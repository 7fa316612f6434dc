using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Dledger.Broker.Naming;

namespace Dledger.Broker.Timers;

/// <summary>Recall handles as the text that producers carry around.</summary>
/// <remarks>
/// 35 bytes and the message id, in base64url; little-endian:
///   0         1           3         7      15         23    35
///   | version | raftGroup | topicId | tick | position | mac | message id, UTF-8 |
/// The MAC is the first 12 bytes of HMAC-SHA-256 over all else under a key derived from the cluster id: it tells our handles from
/// invented and garbled ones; it is no secret towards who knows the cluster id. Immutable, any thread. Its text is frozen by
/// RecallTests.
/// </remarks>
internal sealed class RecallCodec
{
    private const byte Version = 1;
    private const int ContentBytes = 23;
    private const int MacBytes = 12;
    private const int TextLengthMax = (ContentBytes + MacBytes + Limits.MessageIdBytesMax + 2) / 3 * 4;

    private readonly byte[] _key;

    public RecallCodec(Guid clusterId) =>
        _key = SHA256.HashData([.. "dledger recall v1 "u8, .. clusterId.ToByteArray()]);

    /// <summary>The handle as text.</summary>
    public string Encode(in RecallHandle handle)
    {
        var bytes = new byte[ContentBytes + MacBytes + Encoding.UTF8.GetByteCount(handle.MessageId)];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(1), checked((ushort)handle.RaftGroup));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(3), handle.TopicId);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(7), handle.Key.Tick);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(15), handle.Key.Position);
        Encoding.UTF8.GetBytes(handle.MessageId, bytes.AsSpan(ContentBytes + MacBytes));
        MacOf(bytes).CopyTo(bytes.AsSpan(ContentBytes));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>False for any text that this cluster never gave out.</summary>
    public bool TryDecode(string? text, out RecallHandle handle)
    {
        handle = default;
        if (text is null || text.Length > TextLengthMax || !Ascii.IsValid(text) || !Base64Url.IsValid(text, out var length)
            || length < ContentBytes + MacBytes)
        {
            return false;
        }

        var bytes = Base64Url.DecodeFromChars(text);
        if (bytes[0] != Version
            || !CryptographicOperations.FixedTimeEquals(MacOf(bytes), bytes.AsSpan(ContentBytes, MacBytes)))
        {
            return false;
        }

        handle = new RecallHandle(
            BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(1)),
            BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(3)),
            new TimerKey(
                BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(7)),
                BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(15))),
            Encoding.UTF8.GetString(bytes.AsSpan(ContentBytes + MacBytes)));
        return true;
    }

    private byte[] MacOf(byte[] bytes)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hash.AppendData(bytes, 0, ContentBytes);
        hash.AppendData(bytes, ContentBytes + MacBytes, bytes.Length - ContentBytes - MacBytes);
        return hash.GetHashAndReset()[..MacBytes];
    }
}
