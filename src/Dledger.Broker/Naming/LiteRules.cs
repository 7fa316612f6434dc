using System.Buffers;
using System.Globalization;
using System.Text;
using Dledger.Broker.Messages;

namespace Dledger.Broker.Naming;

/// <summary>The rules of lite topics: names, settings, and which messages go there.</summary>
public static class LiteRules
{
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create(
        "%|_-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>Null when it may name a lite topic.</summary>
    public static Violation? CheckName(string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return new Violation(BrokenRule.LiteTopic, "the field 'lite_topic' is empty");
        }

        if (Encoding.UTF8.GetByteCount(name) > Limits.LiteTopicBytesMax)
        {
            return new Violation(
                BrokenRule.LiteTopic,
                $"the field 'lite_topic' has {Encoding.UTF8.GetByteCount(name)} UTF-8 bytes; the limit is {Limits.LiteTopicBytesMax}");
        }

        return name.AsSpan().ContainsAnyExcept(NameCharacters)
            ? new Violation(
                BrokenRule.LiteTopic,
                $"the field 'lite_topic' is '{Names.Printable(name)}', with a character other than letters, digits, '_', '-', '%' and '|'")
            : null;
    }

    /// <summary>Null when the lite topic of a draft, or that it has none, goes with its type.</summary>
    public static Violation? Check(MessageDraft draft)
    {
        if (draft.Type != MessageType.Lite)
        {
            return draft.LiteTopic is null
                ? null
                : new Violation(BrokenRule.MessageTypeConflict, $"a {draft.Type} message has a lite topic; only LITE messages may");
        }

        return draft.MessageGroup is not null
            ? new Violation(
                BrokenRule.MessageTypeConflict, "a LITE message has a message group; the lite topic is what keeps its order")
            : CheckName(draft.LiteTopic);
    }

    /// <summary>Null when the lite topics of a parent may live so long and be so many.</summary>
    public static Violation? CheckSettings(TimeSpan expiry, int countMax)
    {
        if (expiry < Limits.LiteExpiryMin || expiry > Limits.LiteExpiryMax)
        {
            return new Violation(
                BrokenRule.LiteSettings,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"lite topics shall end after {expiry.TotalSeconds} s; {Limits.LiteExpiryMin.TotalSeconds} s to ")
                + string.Create(CultureInfo.InvariantCulture, $"{Limits.LiteExpiryMax.TotalDays} days are allowed"));
        }

        return countMax is < 1 or > Limits.LiteTopicsMax
            ? new Violation(
                BrokenRule.LiteSettings,
                string.Create(
                    CultureInfo.InvariantCulture, $"{countMax} lite topics are asked for; 1 to {Limits.LiteTopicsMax} are allowed"))
            : null;
    }
}
