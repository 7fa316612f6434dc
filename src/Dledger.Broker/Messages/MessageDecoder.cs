using System.Buffers.Binary;
using System.Text;
using Dledger.Broker.DeadLetters;
using Dledger.Storage.Records;

namespace Dledger.Broker.Messages;

/// <summary>Reads a stored record back.</summary>
internal static class MessageDecoder
{
    /// <summary>The tag of a record, null without one.</summary>
    public static string? ReadTag(ReadOnlySpan<byte> properties) =>
        TryFindTag(properties, out var tag) ? Encoding.UTF8.GetString(tag) : null;

    /// <summary>The tag of a record in UTF-8; false without one.</summary>
    public static bool TryFindTag(ReadOnlySpan<byte> properties, out ReadOnlySpan<byte> tag)
    {
        var entries = new PropertyEnumerator(properties);
        while (entries.MoveNext())
        {
            if (entries.Kind == PropertyKind.Tag)
            {
                tag = entries.Content;
                return true;
            }
        }

        tag = default;
        return false;
    }

    /// <summary>Everything that a verified record says of its message, but id and body.</summary>
    public static MessageContent Decode(in RecordView view)
    {
        var type = MessageType.Normal;
        var encoding = BodyEncoding.Identity;
        string? tag = null, group = null, trace = null, lite = null;
        int? priority = null;
        var bornHost = "";
        List<string>? keys = null;
        List<KeyValuePair<string, string>>? properties = null;
        var entries = new PropertyEnumerator(view.Properties);
        while (entries.MoveNext())
        {
            var content = entries.Content;
            switch (entries.Kind)
            {
                case PropertyKind.MessageType:
                    type = (MessageType)content[0];
                    break;
                case PropertyKind.BodyEncoding:
                    encoding = (BodyEncoding)content[0];
                    break;
                case PropertyKind.Tag:
                    tag = Encoding.UTF8.GetString(content);
                    break;
                case PropertyKind.Key:
                    (keys ??= []).Add(Encoding.UTF8.GetString(content));
                    break;
                case PropertyKind.UserProperty:
                    (properties ??= []).Add(ReadUserProperty(content));
                    break;
                case PropertyKind.BornHost:
                    bornHost = Encoding.UTF8.GetString(content);
                    break;
                case PropertyKind.MessageGroup:
                    group = Encoding.UTF8.GetString(content);
                    break;
                case PropertyKind.TraceContext:
                    trace = Encoding.UTF8.GetString(content);
                    break;
                case PropertyKind.LiteTopic:
                    lite = Encoding.UTF8.GetString(content);
                    break;
                case PropertyKind.Priority:
                    priority = BinaryPrimitives.ReadInt32LittleEndian(content);
                    break;
                default:
                    break;
            }
        }

        return new MessageContent
        {
            Type = type,
            Tag = tag,
            Keys = keys ?? (IReadOnlyList<string>)[],
            UserProperties = properties ?? (IReadOnlyList<KeyValuePair<string, string>>)[],
            BodyEncoding = encoding,
            BornHost = bornHost,
            MessageGroup = group,
            LiteTopic = lite,
            Priority = priority,
            TraceContext = trace,
            DeadLetterOrigin = DeadLetterEncoder.ReadOrigin(view),
        };
    }

    private static KeyValuePair<string, string> ReadUserProperty(ReadOnlySpan<byte> content)
    {
        PropertyEnumerator.SplitUserProperty(content, out var key, out var value);
        return KeyValuePair.Create(Encoding.UTF8.GetString(key), Encoding.UTF8.GetString(value));
    }
}
