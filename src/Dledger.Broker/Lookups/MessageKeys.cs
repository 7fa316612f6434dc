using System.Text;
using Dledger.Broker.Messages;
using Dledger.Broker.Routes;
using Dledger.Storage.Records;

namespace Dledger.Broker.Lookups;

/// <summary>Under which numbers a record stands in the key index: its message id and each business key, with its topic.</summary>
/// <remarks>
/// The number says nothing about the kind of key and need not be unique: who finds a record compares the key itself. It is stored in key
/// files, so it never changes: FNV-1a 64 over the topic id (4 bytes, little-endian) and the key, then MurmurHash3's finaliser.
/// </remarks>
internal static class MessageKeys
{
    private const ulong FnvOffset = 14_695_981_039_346_656_037;
    private const ulong FnvPrime = 1_099_511_628_211;

    /// <summary>The number of a key in a topic.</summary>
    public static ulong HashOf(int topicId, ReadOnlySpan<byte> key)
    {
        var hash = FnvOffset;
        for (var shift = 0; shift < 32; shift += 8)
        {
            hash = (hash ^ (byte)(topicId >> shift)) * FnvPrime;
        }

        foreach (var value in key)
        {
            hash = (hash ^ value) * FnvPrime;
        }

        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
        return hash ^ (hash >> 33);
    }

    /// <summary>The number of a key in a topic.</summary>
    public static ulong HashOf(int topicId, string key) => HashOf(topicId, Encoding.UTF8.GetBytes(key));

    /// <summary>Adds what a record is known by; nothing for records that carry no message.</summary>
    public static void AddTo<TSink>(in RecordView record, ref TSink sink)
        where TSink : IKeySink, allows ref struct
    {
        if (record.TopicId == 0 || record.Key.IsEmpty)
        {
            return;
        }

        AddTo(record, record.TopicId, ref sink);
        var places = RoutedPlaces.Of(record);
        for (var i = 0; i < places.Count; i++)
        {
            AddTo(record, places[i].TopicId, ref sink);
        }
    }

    private static void AddTo<TSink>(in RecordView record, int topicId, ref TSink sink)
        where TSink : IKeySink, allows ref struct
    {
        sink.Add(HashOf(topicId, record.Key));
        var entries = new PropertyEnumerator(record.Properties);
        while (entries.MoveNext())
        {
            if (entries.Kind == PropertyKind.Key && !entries.Content.SequenceEqual(record.Key))
            {
                sink.Add(HashOf(topicId, entries.Content));
            }
        }
    }

    /// <summary>Whether a record has a message id, or a business key.</summary>
    public static bool Has(in RecordView record, ReadOnlySpan<byte> key, bool isMessageId)
    {
        if (isMessageId)
        {
            return record.Key.SequenceEqual(key);
        }

        var entries = new PropertyEnumerator(record.Properties);
        while (entries.MoveNext())
        {
            if (entries.Kind == PropertyKind.Key && entries.Content.SequenceEqual(key))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Takes the numbers of one record; a struct, so that nothing is allocated for it.</summary>
internal interface IKeySink
{
    void Add(ulong hash);
}
