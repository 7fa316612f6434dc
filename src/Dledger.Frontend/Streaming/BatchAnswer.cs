using Dledger.Broker.Messages;
using Dledger.Broker.Streaming;
using Dledger.Protocol.Stream.V1;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Streaming;

/// <summary>The outcome of a batch as the client is told it.</summary>
internal static class BatchAnswer
{
    public static BatchResult Of(ulong number, BatchOutcome outcome)
    {
        var result = new BatchResult
        {
            Number = number,
            Status = outcome.Failure is { } failure ? StatusMapping.Of(failure) : StatusMapping.Ok,
            QueueId = outcome.QueueId,
            FirstOffset = outcome.FirstOffset.Value,
            StoreTime = outcome.StoreTimeMicroseconds,
        };
        if (outcome.Entries is not { } entries)
        {
            return result;
        }

        var areAllRefused = true;
        foreach (var entry in entries)
        {
            areAllRefused &= entry.Failure is not null;
            result.Messages.Add(Of(entry));
        }

        result.QueueId = entries[0].Message.QueueId;
        result.StoreTime = entries[0].Message.StoreTimeMicroseconds;
        if (outcome.Failure is not null && !areAllRefused)
        {
            result.Status = StatusMapping.Status(Wire.Code.MultipleResults, "some messages were refused; see their results");
        }

        return result;
    }

    private static MessageResult Of(in AppendEntry entry)
    {
        var message = entry.Message;
        return entry.Failure is { } failure
            ? new MessageResult { Status = StatusMapping.Of(failure), QueueId = -1, Offset = -1 }
            : new MessageResult
            {
                Status = StatusMapping.Ok,
                QueueId = message.QueueId,
                Offset = message.DeliverAtMicroseconds is null ? message.QueueOffset.Value : -1,
                IsRepeat = message.IsDuplicate,
                RecallHandle = message.RecallHandle ?? "",
                TransactionId = message.TransactionId ?? "",
            };
    }
}
