using System.Collections.Concurrent;
using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Client.Consuming;

/// <summary>Receives messages for a consumer group, one call at a time, and acknowledges them. Safe for any thread.</summary>
/// <remarks>
/// A message that is not acknowledged before its invisible duration is over is delivered again, to any member of the
/// group, and after the group's last attempt becomes a dead letter.
/// </remarks>
public sealed class SimpleConsumer(DledgerChannel channel, string group)
{
    private readonly ConcurrentDictionary<string, MessageQueue> _queues = new(StringComparer.Ordinal);

    public string Group { get; } = group;

    /// <summary>Messages that are there, or the first that come; an empty list when none came in time.</summary>
    /// <exception cref="DledgerException">See the kinds.</exception>
    public async Task<IReadOnlyList<ReceivedMessage>> ReceiveAsync(
        string topic, ReceiveOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new ReceiveOptions();
        var operation = $"Receiving from topic '{topic}' for group '{Group}'";
        var request = new ReceiveMessageRequest
        {
            Group = new Resource { Name = Group },
            MessageQueue = await FindQueueAsync(topic, cancellationToken).ConfigureAwait(false),
            FilterExpression = new FilterExpression { Type = FilterType.Tag, Expression = options.TagExpression },
            BatchSize = options.CountMax,
            InvisibleDuration = Duration.FromTimeSpan(options.InvisibleDuration),
            LongPollingTimeout = Duration.FromTimeSpan(options.Wait),
            AttemptId = Guid.NewGuid().ToString(),
        };
        return await channel.CallAsync<IReadOnlyList<ReceivedMessage>>(
            operation,
            async (node, callOptions) =>
            {
                using var call = node.Messaging.ReceiveMessage(request, callOptions);
                var messages = await ReadAsync(call.ResponseStream, operation, callOptions.CancellationToken).ConfigureAwait(false);
                channel.Hear(node, call.GetTrailers());
                return messages;
            },
            channel.Options.RequestTimeout + options.Wait,
            isRepeatable: true,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Says that a message is done with.</summary>
    /// <exception cref="DledgerException">See the kinds; the message may be delivered again.</exception>
    public Task AckAsync(ReceivedMessage message, CancellationToken cancellationToken = default) =>
        AckAsync([message], cancellationToken);

    /// <summary>Says that messages of one topic are done with.</summary>
    /// <exception cref="RequestRefusedException">One of them had become visible again; the others are acknowledged.</exception>
    public async Task AckAsync(IReadOnlyList<ReceivedMessage> messages, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(messages.Count, nameof(messages));
        var operation = $"Acknowledging {messages.Count} messages of topic '{messages[0].Topic}' for group '{Group}'";
        var request = new AckMessageRequest
        {
            Group = new Resource { Name = Group },
            Topic = new Resource { Name = messages[0].Topic },
        };
        request.Entries.AddRange(messages.Select(message =>
            new AckMessageEntry { MessageId = message.MessageId, ReceiptHandle = message.ReceiptHandle }));
        await channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var response = await channel.AskAsync(node, node.Messaging.AckMessageAsync(request, options)).ConfigureAwait(false);
                Check(response.Status, operation);
                foreach (var entry in response.Entries)
                {
                    Check(entry.Status, operation);
                }

                return response;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a message invisible for a time from now on; zero gives it back at once.</summary>
    /// <returns>The message with the receipt handle that is valid from now on.</returns>
    public async Task<ReceivedMessage> ChangeInvisibleAsync(
        ReceivedMessage message, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        var operation = $"Changing the invisible duration of message {message.MessageId} for group '{Group}'";
        var request = new ChangeInvisibleDurationRequest
        {
            Group = new Resource { Name = Group },
            Topic = new Resource { Name = message.Topic },
            ReceiptHandle = message.ReceiptHandle,
            MessageId = message.MessageId,
            InvisibleDuration = Duration.FromTimeSpan(duration),
        };
        return await channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var response = await channel
                    .AskAsync(node, node.Messaging.ChangeInvisibleDurationAsync(request, options))
                    .ConfigureAwait(false);
                Check(response.Status, operation);
                return message with { ReceiptHandle = response.ReceiptHandle };
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static async Task<IReadOnlyList<ReceivedMessage>> ReadAsync(
        IAsyncStreamReader<ReceiveMessageResponse> responses, string operation, CancellationToken cancellationToken)
    {
        var messages = new List<ReceivedMessage>();
        while (await responses.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            var response = responses.Current;
            if (response.ContentCase == ReceiveMessageResponse.ContentOneofCase.Message)
            {
                messages.Add(MessageDecoder.Decode(response.Message));
            }
            else if (response.ContentCase == ReceiveMessageResponse.ContentOneofCase.Status
                && response.Status.Code != Code.MessageNotFound)
            {
                Check(response.Status, operation);
            }
        }

        return messages;
    }

    // The server takes messages from every queue of the topic whichever is named, but wants one that the route has.
    private async Task<MessageQueue> FindQueueAsync(string topic, CancellationToken cancellationToken)
    {
        if (_queues.TryGetValue(topic, out var known))
        {
            return known;
        }

        var operation = $"Looking up topic '{topic}'";
        var queue = await channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var request = new QueryRouteRequest
                {
                    Topic = new Resource { Name = topic },
                    Endpoints = new Endpoints
                    {
                        Scheme = AddressScheme.DomainName,
                        Addresses = { new Address { Host = node.Address.Uri.Host, Port = node.Address.Uri.Port } },
                    },
                };
                var response = await node.Messaging.QueryRouteAsync(request, options).ConfigureAwait(false);
                Check(response.Status, operation);
                return response.MessageQueues.FirstOrDefault()
                    ?? throw new ServerFaultException($"{operation}: the route has no queue.", "Look into the log of the node.");
            },
            cancellationToken).ConfigureAwait(false);
        return _queues.GetOrAdd(topic, queue);
    }

    private static void Check(Apache.Rocketmq.V2.Status? status, string operation)
    {
        if (ResponseStatus.Judge(status, operation) is { } failure)
        {
            throw failure;
        }
    }
}
