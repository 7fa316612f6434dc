using System.Text;

namespace Dledger.Broker.Naming;

/// <summary>The rules of a message's properties, tag and keys.</summary>
public static class PropertyRules
{
    /// <summary>Names that RocketMQ keeps for itself (its MessageConst set): refused as user property keys.</summary>
    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        "TRACE_ON", "MSG_REGION", "KEYS", "TAGS", "WAIT", "DELAY", "RETRY_TOPIC", "REAL_TOPIC", "REAL_QID", "TRAN_MSG",
        "PGROUP", "MIN_OFFSET", "MAX_OFFSET", "BUYER_ID", "ORIGIN_MESSAGE_ID", "TRANSFER_FLAG", "CORRECTION_FLAG",
        "MQ2_FLAG", "RECONSUME_TIME", "UNIQ_KEY", "MAX_RECONSUME_TIMES", "CONSUME_START_TIME", "POP_CK",
        "POP_CK_OFFSET", "1ST_POP_TIME", "TRAN_PREPARED_QUEUE_OFFSET", "DUP_INFO", "EXTEND_UNIQ_INFO", "INSTANCE_ID",
        "CORRELATION_ID", "REPLY_TO_CLIENT", "TTL", "ARRIVE_TIME", "PUSH_REPLY_TIME", "CLUSTER", "MSG_TYPE",
        "INNER_MULTI_QUEUE_OFFSET", "TIMER_DELAY_MS", "TIMER_DELAY_SEC", "TIMER_DELIVER_MS", "TIMER_ENQUEUE_MS",
        "TIMER_DEQUEUE_MS", "TIMER_ROLL_TIMES", "TIMER_OUT_MS", "TIMER_DEL_UNIQKEY", "TIMER_DELAY_LEVEL", "__BORNHOST",
        "BORN_TIMESTAMP", "DLQ_ORIGIN_TOPIC", "DLQ_ORIGIN_MESSAGE_ID", "__CRC32#",
    };

    private static readonly int ReservedLengthMax = Reserved.Max(static name => name.Length);

    /// <summary>Whether a user property may not bear this name.</summary>
    public static bool IsReserved(string key) => Reserved.Contains(key);

    /// <summary>The same for a name of printable ASCII.</summary>
    internal static bool IsReserved(ReadOnlySpan<byte> key)
    {
        if (key.Length > ReservedLengthMax)
        {
            return false;
        }

        Span<char> text = stackalloc char[ReservedLengthMax];
        var length = Encoding.ASCII.GetChars(key, text);
        return Reserved.GetAlternateLookup<ReadOnlySpan<char>>().Contains(text[..length]);
    }

    internal static bool HasControlCharacter(string text)
    {
        foreach (var character in text)
        {
            if (char.IsControl(character))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Null when the tag may be stored.</summary>
    public static Violation? CheckTag(string tag)
    {
        if (string.IsNullOrWhiteSpace(tag))
        {
            return new Violation(BrokenRule.Tag, "the tag is blank");
        }

        if (tag.Contains('|', StringComparison.Ordinal))
        {
            return new Violation(BrokenRule.Tag, "the tag contains '|', which separates tags in a filter");
        }

        return HasControlCharacter(tag)
            ? new Violation(BrokenRule.Tag, "the tag contains a control character")
            : null;
    }

    /// <summary>Null when the message key may be stored.</summary>
    public static Violation? CheckKey(string key)
    {
        if (string.IsNullOrWhiteSpace(key))
        {
            return new Violation(BrokenRule.Key, "a message key is blank");
        }

        return HasControlCharacter(key)
            ? new Violation(BrokenRule.Key, "a message key contains a control character")
            : null;
    }

    /// <summary>Null when the user property may be stored.</summary>
    public static Violation? CheckProperty(string key, string value)
    {
        if (string.IsNullOrEmpty(key))
        {
            return new Violation(BrokenRule.PropertyKey, "a user property has an empty key");
        }

        if (IsReserved(key))
        {
            return new Violation(BrokenRule.PropertyKey, $"the user property key '{key}' is reserved for the system");
        }

        if (key == Messages.TimeToLive.Property && Messages.TimeToLive.Check(value) is { } life)
        {
            return life;
        }

        return HasControlCharacter(key) || HasControlCharacter(value)
            ? new Violation(
                BrokenRule.PropertyKey, $"the user property '{Names.Printable(key)}' contains a control character")
            : null;
    }
}
