using System.Buffers;

namespace Dledger.Broker.Naming;

/// <summary>The rules of topic and group names (RocketMQ's TopicValidator and GrpcValidator).</summary>
public static class Names
{
    /// <summary>Begins the name of a group's dead letter topic.</summary>
    public const string DeadLetterPrefix = "%DLQ%";

    /// <summary>
    /// Begins the name of RocketMQ's retry topics. Dledger redelivers in place and has none, but honours the length
    /// rule.
    /// </summary>
    public const string RetryPrefix = "%RETRY%";

    /// <summary>Takes transactional messages that nobody decided; RocketMQ's name for it.</summary>
    public const string DiscardedTransactionTopic = "TRANS_CHECK_MAX_TIME_TOPIC";

    private const string SystemTopicPrefix = "rmq_sys_";
    private const string SystemGroupPrefix = "CID_RMQ_SYS_";
    private const string CharactersText = "letters, digits, '_', '-', '%' and '|'";

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create(
        "%|_-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly HashSet<string> SystemTopics = new(StringComparer.Ordinal)
    {
        "TBW102", "SCHEDULE_TOPIC_XXXX", "BenchmarkTest", DiscardedTransactionTopic, "SELF_TEST_TOPIC",
        "OFFSET_MOVED_EVENT", "CHECKPOINT_TOPIC", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRACE_TOPIC",
        "RMQ_SYS_TRANS_OP_HALF_TOPIC",
    };

    /// <summary>The topic that takes the dead letters of a group.</summary>
    public static string DeadLetterTopic(string group) => DeadLetterPrefix + group;

    /// <summary>Null when <paramref name="topic"/> may name a topic of a user.</summary>
    public static Violation? CheckTopic(string? topic)
    {
        if (string.IsNullOrEmpty(topic))
        {
            return new Violation(BrokenRule.TopicName, "the topic name is empty");
        }

        var lengthMax = topic.StartsWith(DeadLetterPrefix, StringComparison.Ordinal)
            || topic.StartsWith(RetryPrefix, StringComparison.Ordinal)
                ? Limits.InternalTopicLengthMax
                : Limits.TopicLengthMax;
        if (topic.Length > lengthMax)
        {
            return new Violation(
                BrokenRule.TopicName, $"the topic name has {topic.Length} characters; the limit is {lengthMax}");
        }

        if (topic.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            return new Violation(
                BrokenRule.TopicName,
                $"the topic name '{Printable(topic)}' has a character other than {CharactersText}");
        }

        return SystemTopics.Contains(topic) || topic.StartsWith(SystemTopicPrefix, StringComparison.Ordinal)
            ? new Violation(BrokenRule.TopicName, $"the topic name '{topic}' is reserved for the system")
            : null;
    }

    /// <summary>Null when <paramref name="group"/> may name a consumer group of a user.</summary>
    public static Violation? CheckGroup(string? group)
    {
        if (string.IsNullOrEmpty(group))
        {
            return new Violation(BrokenRule.GroupName, "the consumer group name is empty");
        }

        if (group.Length > Limits.GroupLengthMax)
        {
            return new Violation(
                BrokenRule.GroupName,
                $"the consumer group name has {group.Length} characters; the limit is {Limits.GroupLengthMax}");
        }

        if (group.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            return new Violation(
                BrokenRule.GroupName,
                $"the consumer group name '{Printable(group)}' has a character other than {CharactersText}");
        }

        return group.StartsWith(SystemGroupPrefix, StringComparison.Ordinal)
            ? new Violation(BrokenRule.GroupName, $"the consumer group name '{group}' is reserved for the system")
            : null;
    }

    /// <summary>
    /// A caller's text made safe for messages and log lines: control characters replaced, length bounded.
    /// </summary>
    internal static string Printable(string text)
    {
        var kept = text.Length > 128 ? text.AsSpan(0, 128) : text;
        return string.Create(kept.Length, text, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = char.IsControl(source[i]) || char.IsSurrogate(source[i]) ? '?' : source[i];
            }
        });
    }
}
