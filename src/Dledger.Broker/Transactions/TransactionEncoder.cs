using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;
using Dledger.Broker.Routes;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Transactions;

/// <summary>Makes the records of transactions.</summary>
internal static class TransactionEncoder
{
    /// <summary>From the records of a batch to those of one transaction with the same messages.</summary>
    public static byte[] EncodeHalves(ReadOnlySpan<byte> messages, int count, TimeSpan firstCheck)
    {
        var writer = new ByteWriter(messages.Length + (count * 24));
        while (!messages.IsEmpty)
        {
            Invariant.Check(RecordView.TryParseUnchecked(messages, out var record, out var fault), fault ?? "");
            var mark = new HalfMark(writer.Length, count, (long)firstCheck.TotalMicroseconds);
            var encodedMark = mark.Encode();
            writer.Bytes(RecordCopy.Encode(
                record,
                RecordKind.HalfMessage,
                record.TopicId,
                record.QueueId,
                added: properties => PropertyWriter.Write(properties, PropertyKind.HalfMark, encodedMark)));
            messages = messages[record.Length..];
        }

        return writer.ToArray();
    }

    /// <summary>The record that ends transactions; the copies of a commit are to follow it.</summary>
    public static byte[] EncodeEnd(EndTransactionCommand command) =>
        ControlRecord.Encode(RecordKind.EndTransaction, command.Encode());

    /// <summary>The copy by which a half message joins a queue.</summary>
    public static byte[] EncodeCopy(
        in RecordView half,
        RecordKind kind,
        int topicId,
        int queueId,
        TransactionReference reference,
        string? originTopic = null,
        IReadOnlyList<RoutedPlace>? places = null)
    {
        var encoded = reference.Encode();
        var messageId = originTopic is null ? "" : System.Text.Encoding.UTF8.GetString(half.Key);
        return RecordCopy.Encode(
            half,
            kind,
            topicId,
            queueId,
            keeps: static property => property != PropertyKind.HalfMark,
            added: properties =>
            {
                if (originTopic is not null)
                {
                    PropertyWriter.Write(properties, PropertyKind.DeadLetterTopic, originTopic);
                    PropertyWriter.Write(properties, PropertyKind.DeadLetterMessageId, messageId);
                }

                PropertyWriter.Write(properties, PropertyKind.TransactionReference, encoded);
            },
            places: places);
    }
}
