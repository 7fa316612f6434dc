using System.Text;
using System.Text.Unicode;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;

namespace Dledger.Broker.Streaming;

/// <summary>The rules of a message's texts, looked at as UTF-8. Text that cannot break one makes no garbage.</summary>
internal static class TextRules
{
    public static Violation? CheckTag(ReadOnlySpan<byte> tag) =>
        IsPlain(tag) && !tag.Contains((byte)'|') ? null : Read(tag, out var text) ?? PropertyRules.CheckTag(text);

    public static Violation? CheckKey(ReadOnlySpan<byte> key) =>
        IsPlain(key) ? null : Read(key, out var text) ?? PropertyRules.CheckKey(text);

    public static Violation? CheckMessageGroup(ReadOnlySpan<byte> group) =>
        IsPlain(group) && group.Length < Limits.MessageGroupBytesLimit
            ? null
            : Read(group, out var text) ?? MessageRules.CheckMessageGroup(text);

    public static Violation? CheckMessageId(ReadOnlySpan<byte> id)
    {
        if (id.Length > Limits.MessageIdBytesMax)
        {
            return new Violation(BrokenRule.MessageId, $"the message id is longer than {Limits.MessageIdBytesMax} UTF-8 bytes");
        }

        return IsPlain(id) ? null
            : Read(id, out var text) ?? (string.IsNullOrWhiteSpace(text)
                ? new Violation(BrokenRule.MessageId, "the message id is blank")
                : null);
    }

    /// <summary>A user property; its name is compared with those that are reserved.</summary>
    public static Violation? CheckProperty(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (IsPlain(name) && IsPlain(value) && !PropertyRules.IsReserved(name) && !name.SequenceEqual(TimeToLive.PropertyUtf8))
        {
            return null;
        }

        return Read(name, out var key) ?? Read(value, out var text) ?? PropertyRules.CheckProperty(key, text);
    }

    /// <summary>A text that nothing is said about but that it is one.</summary>
    public static Violation? CheckEncoding(ReadOnlySpan<byte> text) => Utf8.IsValid(text) ? null : NoText;

    private static Violation NoText => new(BrokenRule.Batch, "a text of a record is not valid UTF-8");

    // Printable ASCII with more than blanks in it.
    private static bool IsPlain(ReadOnlySpan<byte> text) =>
        !text.ContainsAnyExceptInRange((byte)0x20, (byte)0x7e) && text.ContainsAnyExcept((byte)' ');

    private static Violation? Read(ReadOnlySpan<byte> bytes, out string text)
    {
        text = "";
        if (!Utf8.IsValid(bytes))
        {
            return NoText;
        }

        text = Encoding.UTF8.GetString(bytes);
        return null;
    }
}
