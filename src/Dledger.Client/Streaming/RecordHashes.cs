using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Dledger.Client.Streaming;

/// <summary>The hashes that a record carries of its texts; see <c>stream.proto</c>.</summary>
internal static class RecordHashes
{
    private const ulong OffsetBasis = 14_695_981_039_346_656_037;
    private const ulong Prime = 1_099_511_628_211;

    /// <summary>Java's hash code of the text.</summary>
    public static long OfTag(string tag)
    {
        var hash = 0;
        foreach (var unit in tag)
        {
            hash = unchecked((31 * hash) + unit);
        }

        return hash;
    }

    /// <summary>FNV-1a, 64 bits.</summary>
    public static long OfMessageGroup(string group)
    {
        var hash = OffsetBasis;
        foreach (var value in Encoding.UTF8.GetBytes(group))
        {
            hash = unchecked((hash ^ value) * Prime);
        }

        return unchecked((long)hash);
    }

    /// <summary>The queue of a message group.</summary>
    public static int QueueOf(long groupHash, int queueCount) => (int)((ulong)groupHash % (ulong)queueCount);

    /// <summary>The first 16 bytes of SHA-256.</summary>
    public static UInt128 OfMessageId(ReadOnlySpan<byte> id)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(id, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
