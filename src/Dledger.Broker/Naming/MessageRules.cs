using System.Text;
using Dledger.Broker.Messages;

namespace Dledger.Broker.Naming;

/// <summary>The rules of one message and of a batch. The first broken rule is answered.</summary>
public static class MessageRules
{
    /// <summary>Null when every draft and the batch as a whole may be stored.</summary>
    public static Violation? Check(IReadOnlyList<MessageDraft> drafts)
    {
        if (drafts.Count is 0 or > Limits.BatchCountMax)
        {
            return new Violation(
                BrokenRule.Batch, $"the batch has {drafts.Count} messages; 1 to {Limits.BatchCountMax} are allowed");
        }

        var bytes = 0L;
        // By index, here and below: the enumerator of an interface is an object.
        for (var i = 0; i < drafts.Count; i++)
        {
            var draft = drafts[i];
            if (Check(draft) is { } violation)
            {
                return violation;
            }

            bytes += draft.Body.Length;
        }

        return bytes > Limits.BatchBytesMax
            ? new Violation(
                BrokenRule.BodyTooLarge, $"the batch has {bytes} body bytes; the limit is {Limits.BatchBytesMax}")
            : null;
    }

    /// <summary>Null when the draft may be stored.</summary>
    public static Violation? Check(MessageDraft draft)
    {
        if (draft.Body.IsEmpty)
        {
            return new Violation(BrokenRule.BodyEmpty, "the message body is empty");
        }

        if (draft.Body.Length > Limits.BodyBytesMax)
        {
            return new Violation(
                BrokenRule.BodyTooLarge,
                $"the message body has {draft.Body.Length} bytes; the limit is {Limits.BodyBytesMax}");
        }

        if (string.IsNullOrWhiteSpace(draft.MessageId))
        {
            return new Violation(BrokenRule.MessageId, "the message id is blank");
        }

        if (Encoding.UTF8.GetByteCount(draft.MessageId) > Limits.MessageIdBytesMax)
        {
            return new Violation(
                BrokenRule.MessageId, $"the message id is longer than {Limits.MessageIdBytesMax} UTF-8 bytes");
        }

        if (draft.MessageGroup is { } group && CheckMessageGroup(group) is { } groupViolation)
        {
            return groupViolation;
        }

        if (draft.Type == MessageType.Fifo && draft.MessageGroup is null)
        {
            return new Violation(BrokenRule.MessageGroup, "a FIFO message has no message group");
        }

        if ((CheckPriority(draft) ?? LiteRules.Check(draft)) is { } kindViolation)
        {
            return kindViolation;
        }

        if (draft.Type == MessageType.Delay != draft.DeliverAtMicroseconds.HasValue)
        {
            return new Violation(
                BrokenRule.DeliveryTime,
                draft.Type == MessageType.Delay
                    ? "a DELAY message has no delivery time"
                    : $"a {draft.Type} message has a delivery time");
        }

        return CheckProperties(draft);
    }

    /// <summary>Null when the message group may be stored.</summary>
    public static Violation? CheckMessageGroup(string group)
    {
        if (string.IsNullOrWhiteSpace(group))
        {
            return new Violation(BrokenRule.MessageGroup, "the message group is blank");
        }

        var bytes = Encoding.UTF8.GetByteCount(group);
        if (bytes >= Limits.MessageGroupBytesLimit)
        {
            return new Violation(
                BrokenRule.MessageGroup,
                $"the message group has {bytes} UTF-8 bytes; it must have fewer than {Limits.MessageGroupBytesLimit}");
        }

        return PropertyRules.HasControlCharacter(group)
            ? new Violation(BrokenRule.MessageGroup, "the message group contains a control character")
            : null;
    }

    /// <summary>Null when the priority of the draft, or that it has none, may be stored.</summary>
    public static Violation? CheckPriority(MessageDraft draft)
    {
        if (draft.Type != MessageType.Priority)
        {
            return draft.Priority is null
                ? null
                : new Violation(BrokenRule.MessageTypeConflict, $"a {draft.Type} message has a priority; only PRIORITY messages may");
        }

        if (draft.MessageGroup is not null)
        {
            return new Violation(
                BrokenRule.MessageTypeConflict, "a PRIORITY message has a message group; order and urgency exclude each other");
        }

        return draft.Priority < 0
            ? new Violation(
                BrokenRule.Priority, $"the field 'priority' is {draft.Priority}; 0 to {int.MaxValue} are allowed, larger is more urgent")
            : null;
    }

    /// <summary>Null when a message may be delivered at this time.</summary>
    public static Violation? CheckDeliveryTime(long deliverAtMicroseconds, long nowMicroseconds)
    {
        var aheadMax = Limits.DeliveryDelayMax.Ticks / TimeSpan.TicksPerMicrosecond;
        return deliverAtMicroseconds - nowMicroseconds > aheadMax
            ? new Violation(
                BrokenRule.DeliveryTime,
                $"the delivery time is more than {Limits.DeliveryDelayMax.TotalDays} days ahead")
            : null;
    }

    /// <summary>Null when a receive without auto-renew may ask for this invisible duration.</summary>
    public static Violation? CheckReceiveInvisible(TimeSpan duration) =>
        duration < Limits.InvisibleDurationMin || duration > Limits.InvisibleDurationMax
            ? new Violation(
                BrokenRule.InvisibleDuration,
                $"the invisible duration is {duration}; " +
                $"{Limits.InvisibleDurationMin} to {Limits.InvisibleDurationMax} are allowed")
            : null;

    /// <summary>Null when a lease may be changed to this invisible duration.</summary>
    public static Violation? CheckChangedInvisible(TimeSpan duration) =>
        duration < TimeSpan.Zero || duration > Limits.InvisibleDurationMax
            ? new Violation(
                BrokenRule.InvisibleDuration,
                $"the invisible duration is {duration}; zero to {Limits.InvisibleDurationMax} are allowed")
            : null;

    private static Violation? CheckProperties(MessageDraft draft)
    {
        if (draft.UserProperties.Count > Limits.UserPropertyCountMax)
        {
            return new Violation(
                BrokenRule.PropertiesTooLarge,
                $"the message has {draft.UserProperties.Count} user properties; " +
                $"the limit is {Limits.UserPropertyCountMax}");
        }

        var bytes = 0L;
        if (draft.Tag is { } tag)
        {
            if (PropertyRules.CheckTag(tag) is { } violation)
            {
                return violation;
            }

            bytes += Encoding.UTF8.GetByteCount(tag);
        }

        for (var i = 0; i < draft.Keys.Count; i++)
        {
            var key = draft.Keys[i];
            if (PropertyRules.CheckKey(key) is { } violation)
            {
                return violation;
            }

            bytes += Encoding.UTF8.GetByteCount(key);
        }

        for (var i = 0; i < draft.UserProperties.Count; i++)
        {
            var (key, value) = draft.UserProperties[i];
            if (PropertyRules.CheckProperty(key, value) is { } violation)
            {
                return violation;
            }

            bytes += Encoding.UTF8.GetByteCount(key) + (long)Encoding.UTF8.GetByteCount(value);
        }

        return bytes > Limits.UserPropertyBytesMax
            ? new Violation(
                BrokenRule.PropertiesTooLarge,
                $"user properties, tag and keys have {bytes} UTF-8 bytes together; " +
                $"the limit is {Limits.UserPropertyBytesMax}")
            : null;
    }
}
