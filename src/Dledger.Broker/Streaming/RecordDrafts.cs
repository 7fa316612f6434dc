using Dledger.Broker.Messages;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Streaming;

/// <summary>Checked records as drafts, for messages that the broker has to encode itself: because it decides on more than their place.</summary>
internal static class RecordDrafts
{
    public static MessageDraft[] Decode(ReadOnlyMemory<byte> records, int count)
    {
        var drafts = new MessageDraft[count];
        var at = 0;
        for (var i = 0; i < count; i++)
        {
            var rest = records[at..];
            Invariant.Check(RecordView.TryParseUnchecked(rest.Span, out var record, out var fault), $"a checked record: {fault}");
            var message = new DeliveredMessage(rest[..record.Length], default);
            drafts[i] = new MessageDraft
            {
                Body = message.Body,
                MessageId = message.MessageId,
                Type = message.Type,
                Tag = message.Tag,
                Keys = message.Keys,
                UserProperties = message.UserProperties,
                BodyEncoding = message.BodyEncoding,
                BornTimeMicroseconds = message.BornTimeMicroseconds,
                BornHost = message.BornHost,
                MessageGroup = message.MessageGroup,
                LiteTopic = message.LiteTopic,
                Priority = message.Priority,
                TraceContext = message.TraceContext,
                DeliverAtMicroseconds = message.DeliverAtMicroseconds,
            };
            at += record.Length;
        }

        return drafts;
    }
}
