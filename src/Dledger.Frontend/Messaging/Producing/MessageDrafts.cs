using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Frontend.Calls;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Producing;

/// <summary>Turns messages of the wire into drafts and refuses what breaks a rule. Bodies are borrowed, not
/// copied.</summary>
internal sealed class MessageDrafts(FrontendOptions options, TimeProvider time)
{
    /// <summary>All drafts of a request, or the status of the first broken rule among those that the broker does not
    /// check.</summary>
    public Wire.Status? TryCreate(
        ClientCall call, Wire.SendMessageRequest request, out string topic, out MessageDraft[] drafts)
    {
        topic = "";
        drafts = [];
        if (CallRules.CheckClient(call) is { } noClient)
        {
            return StatusMapping.Of(noClient);
        }

        if (request.Messages.Count == 0)
        {
            return StatusMapping.Status(Wire.Code.MessageCorrupted, "the field 'messages' is empty");
        }

        topic = ResourceNames.Of(request.Messages[0].Topic, call);
        if (Names.CheckTopic(topic) is { } badTopic)
        {
            return StatusMapping.Of(badTopic);
        }

        var created = new MessageDraft[request.Messages.Count];
        for (var index = 0; index < created.Length; index++)
        {
            var message = request.Messages[index];
            if (index > 0 && ResourceNames.Of(message.Topic, call) != topic)
            {
                return StatusMapping.Status(
                    Wire.Code.MessageCorrupted,
                    $"the messages of one request must have one topic; message {index} has another");
            }

            if (TryCreate(message, out created[index]) is { } refusal)
            {
                return refusal;
            }
        }

        drafts = created;
        return null;
    }

    /// <summary>The status of the first broken rule, or null. Also the rules that the broker of the leader checks
    /// itself, so that a bad request costs the leader nothing.</summary>
    public Wire.Status? Check(ClientCall call, Wire.SendMessageRequest request) =>
        TryCreate(call, request, out _, out var created) is { } refusal ? refusal
        : MessageRules.Check(created) is { } violation ? StatusMapping.Of(violation)
        : null;

    /// <summary>One message, whatever its topic.</summary>
    public Wire.Status? TryCreate(Wire.Message message, out MessageDraft draft)
    {
        var system = message.SystemProperties ?? new Wire.SystemProperties();
        var now = (time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        draft = new MessageDraft
        {
            Body = message.Body.Memory,
            MessageId = system.MessageId,
            Type = TypeOf(system),
            Tag = system.HasTag ? system.Tag : null,
            Keys = system.Keys,
            UserProperties = PropertiesOf(message),
            BodyEncoding = system.BodyEncoding == Wire.Encoding.Gzip ? BodyEncoding.Gzip : BodyEncoding.Identity,
            BornTimeMicroseconds = system.BornTimestamp is { } born ? WireTime.ToMicroseconds(born) : now,
            BornHost = system.BornHost,
            MessageGroup = system.HasMessageGroup ? system.MessageGroup : null,
            LiteTopic = system.HasLiteTopic ? system.LiteTopic : null,
            Priority = system.HasPriority ? system.Priority : null,
            TraceContext = system.HasTraceContext ? system.TraceContext : null,
            DeliverAtMicroseconds = system.DeliveryTimestamp is { } due ? WireTime.ToMicroseconds(due) : null,
            TransactionRecovery = system.OrphanedTransactionRecoveryDuration is { } wait ? WireTime.ToTimeSpan(wait) : null,
        };

        if (message.Body.Length > options.BodyBytesMax)
        {
            return StatusMapping.Of(new Violation(
                BrokenRule.BodyTooLarge,
                $"the message body has {message.Body.Length} bytes; the limit is {options.BodyBytesMax}"));
        }

        if (!Enum.IsDefined(system.BodyEncoding))
        {
            return StatusMapping.Status(
                Wire.Code.MessageCorrupted,
                $"the field 'body_encoding' is {(int)system.BodyEncoding}; 1 (IDENTITY) and 2 (GZIP) exist");
        }

        if (draft.DeliverAtMicroseconds is { } deliverAt
            && MessageRules.CheckDeliveryTime(deliverAt, now) is { } tooLate)
        {
            return StatusMapping.Of(tooLate);
        }

        return system.OrphanedTransactionRecoveryDuration is { } recovery
            && (WireTime.ToTimeSpan(recovery) > Limits.TransactionRecoveryMax || WireTime.ToTimeSpan(recovery) < TimeSpan.Zero)
                ? StatusMapping.Of(new Violation(
                    BrokenRule.TransactionRecovery,
                    $"the field 'orphaned_transaction_recovery_duration' is outside 0 to {Limits.TransactionRecoveryMax}"))
                : null;
    }

    // The map's own copy needs no enumerator.
    private static KeyValuePair<string, string>[] PropertiesOf(Wire.Message message)
    {
        ICollection<KeyValuePair<string, string>> map = message.UserProperties;
        if (map.Count == 0)
        {
            return [];
        }

        var properties = new KeyValuePair<string, string>[map.Count];
        map.CopyTo(properties, 0);
        return properties;
    }

    /// <summary>What the message is, by what its sender set. The rarer mark wins, as in RocketMQ's own proxy.</summary>
    private static MessageType TypeOf(Wire.SystemProperties system) =>
        system.MessageType == Wire.MessageType.Transaction ? MessageType.Transaction
        : system.DeliveryTimestamp is not null ? MessageType.Delay
        : system.HasLiteTopic || system.MessageType == Wire.MessageType.Lite ? MessageType.Lite
        : system.HasPriority || system.MessageType == Wire.MessageType.Priority ? MessageType.Priority
        : system.HasMessageGroup ? MessageType.Fifo
        : MessageType.Normal;
}
