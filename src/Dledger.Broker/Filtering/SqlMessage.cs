using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Storage.Records;

namespace Dledger.Broker.Filtering;

/// <summary>What an expression sees of a message: its stored property map and its id, in place.</summary>
internal readonly ref struct SqlMessage(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> messageId)
{
    private readonly ReadOnlySpan<byte> _properties = properties;
    private readonly ReadOnlySpan<byte> _messageId = messageId;

    public static SqlMessage Of(in RecordView record) => new(record.Properties, record.Key);

    /// <summary>The value of a variable; missing ones are null. System names hide nothing: users cannot take them.</summary>
    public SqlValue Find(SqlVariable variable) => variable.Source switch
    {
        SqlSource.Tag => FindTag(),
        SqlSource.Keys => FindKeys(),
        SqlSource.MessageId => SqlValue.Of(_messageId),
        _ => FindUserProperty(variable.Name),
    };

    /// <summary>Whether its tag is one of the filter's.</summary>
    public bool Matches(TagFilter tags) => tags.Matches(_properties);

    private SqlValue FindTag()
    {
        var entries = new PropertyEnumerator(_properties);
        while (entries.MoveNext())
        {
            if (entries.Kind == PropertyKind.Tag)
            {
                return SqlValue.Of(entries.Content);
            }
        }

        return SqlValue.Null;
    }

    // RocketMQ keeps the keys as one text with blanks between them. Only several keys need a buffer.
    private SqlValue FindKeys()
    {
        ReadOnlySpan<byte> keys = default;
        var count = 0;
        var entries = new PropertyEnumerator(_properties);
        while (entries.MoveNext())
        {
            if (entries.Kind == PropertyKind.Key)
            {
                keys = count++ == 0 ? entries.Content : (byte[])[.. keys, (byte)' ', .. entries.Content];
            }
        }

        return count == 0 ? SqlValue.Null : SqlValue.Of(keys);
    }

    private SqlValue FindUserProperty(ReadOnlySpan<byte> name)
    {
        var entries = new PropertyEnumerator(_properties);
        while (entries.MoveNext())
        {
            // 16-bit length of the key, key, value.
            var content = entries.Content;
            if (entries.Kind == PropertyKind.UserProperty
                && content[2..].StartsWith(name)
                && (content[0] | (content[1] << 8)) == name.Length)
            {
                return SqlValue.Of(content[(2 + name.Length)..]);
            }
        }

        return SqlValue.Null;
    }
}
