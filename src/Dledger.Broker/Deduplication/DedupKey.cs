using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Storage.Records;

namespace Dledger.Broker.Deduplication;

/// <summary>The key of a message as a group's table holds it: the first 128 bits of its SHA-256. Persisted, hence frozen.</summary>
internal static class DedupKey
{
    /// <summary>Stands for a message without key.</summary>
    public static readonly UInt128 None = UInt128.Zero;

    /// <summary>The key of a verified record; <see cref="None"/> when it has none.</summary>
    public static UInt128 Of(in RecordView record, DedupSettings settings)
    {
        if (settings.Source == DedupSource.MessageId)
        {
            return Hash(record.Key);
        }

        var entries = new PropertyEnumerator(record.Properties);
        while (entries.MoveNext())
        {
            if (settings.Source == DedupSource.Key && entries.Kind == PropertyKind.Key)
            {
                return Hash(entries.Content);
            }

            if (settings.Source == DedupSource.Property && entries.Kind == PropertyKind.UserProperty)
            {
                var reader = new ByteReader(entries.Content);
                if (reader.Text() == settings.Property)
                {
                    return Hash(entries.Content[(2 + Encoding.UTF8.GetByteCount(settings.Property))..]);
                }
            }
        }

        return None;
    }

    private static UInt128 Hash(ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, hash);
        var value = BinaryPrimitives.ReadUInt128LittleEndian(hash);
        return value == None ? UInt128.One : value;
    }
}
