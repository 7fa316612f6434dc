using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Client.Producing;

/// <summary>Sends messages. Safe for any thread; give each thread its turn by awaiting to keep an order.</summary>
/// <remarks>
/// A send is repeated with the same message id while the outcome is open, so a message may be stored twice but an answer
/// always means that it is stored. An <see cref="OutcomeUnknownException"/> means that it may be.
/// </remarks>
public sealed class Producer(DledgerChannel channel)
{
    /// <summary>Sends one message; the task ends when a majority has stored it.</summary>
    /// <exception cref="DledgerException">See the kinds; nothing is stored except as they say.</exception>
    public async Task<SendReceipt> SendAsync(OutgoingMessage message, CancellationToken cancellationToken = default)
    {
        var receipts = await SendAsync([message], cancellationToken).ConfigureAwait(false);
        return receipts[0];
    }

    /// <summary>Sends messages of one topic together: all into one queue, in order.</summary>
    /// <exception cref="DledgerException">One of them failed; the others may be stored.</exception>
    public async Task<IReadOnlyList<SendReceipt>> SendAsync(
        IReadOnlyList<OutgoingMessage> messages, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(messages.Count, nameof(messages));
        var operation = messages.Count == 1
            ? $"Sending to topic '{messages[0].Topic}'"
            : $"Sending {messages.Count} messages to topic '{messages[0].Topic}'";
        var request = new SendMessageRequest();
        request.Messages.AddRange(messages.Select(Encode));
        return await channel.CallAsync<IReadOnlyList<SendReceipt>>(
            operation,
            async (node, options) =>
            {
                var response = await node.Messaging.SendMessageAsync(request, options).ConfigureAwait(false);
                return Read(response, operation, messages.Count);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes back a message that waits for its delivery time; its id.</summary>
    /// <exception cref="ResourceNotFoundException">It was delivered or recalled before.</exception>
    public async Task<string> RecallAsync(
        string topic, string recallHandle, CancellationToken cancellationToken = default)
    {
        var operation = $"Recalling a message of topic '{topic}'";
        var request = new RecallMessageRequest { Topic = new Resource { Name = topic }, RecallHandle = recallHandle };
        return await channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var response = await node.Messaging.RecallMessageAsync(request, options).ConfigureAwait(false);
                return ResponseStatus.Judge(response.Status, operation) is { } failure
                    ? throw failure
                    : response.MessageId;
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static SendReceipt[] Read(SendMessageResponse response, string operation, int count)
    {
        var failure = ResponseStatus.Judge(response.Status, operation)
            ?? response.Entries.Select(entry => ResponseStatus.Judge(entry.Status, operation)).FirstOrDefault(f => f is not null);
        if (failure is not null)
        {
            throw failure;
        }

        return response.Entries.Count == count
            ? [.. response.Entries.Select(entry => new SendReceipt(entry.MessageId, entry.Offset)
            {
                RecallHandle = entry.RecallHandle.Length == 0 ? null : entry.RecallHandle,
            })]
            : throw new ServerFaultException(
                $"{operation}: {response.Entries.Count} answers for {count} messages.", "Look into the log of the node.");
    }

    private static Message Encode(OutgoingMessage message)
    {
        var system = new SystemProperties
        {
            MessageId = message.MessageId ?? MessageIds.Next(),
            BodyEncoding = message.IsGzip ? Encoding.Gzip : Encoding.Identity,
            MessageType = message.DeliverAt is not null ? Apache.Rocketmq.V2.MessageType.Delay
                : message.MessageGroup is null ? Apache.Rocketmq.V2.MessageType.Normal
                : Apache.Rocketmq.V2.MessageType.Fifo,
            DeliveryTimestamp = message.DeliverAt is { } time ? Timestamp.FromDateTimeOffset(time) : null,
            BornTimestamp = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow),
            BornHost = Environment.MachineName,
        };
        system.Keys.AddRange(message.Keys);
        if (message.Tag is not null)
        {
            system.Tag = message.Tag;
        }

        if (message.MessageGroup is not null)
        {
            system.MessageGroup = message.MessageGroup;
        }

        var encoded = new Message
        {
            Topic = new Resource { Name = message.Topic },
            SystemProperties = system,
            Body = UnsafeByteOperations.UnsafeWrap(message.Body),
        };
        foreach (var (key, value) in message.Properties)
        {
            encoded.UserProperties.Add(key, value);
        }

        return encoded;
    }
}
