using System.Collections.Concurrent;
using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Client.Producing;

/// <summary>Sends messages. Safe for any thread; give each thread its turn by awaiting to keep an order.</summary>
/// <remarks>
/// A send is repeated with the same message id while the outcome is open. The messages are numbered as well
/// (<see cref="ProducerOptions.IsNumbered"/>), so a repeat is stored once and the send ends with the first result. An
/// <see cref="OutcomeUnknownException"/> means that it may be stored; sending it anew may store it twice, unless its topic knows it
/// by its id.
/// </remarks>
public sealed class Producer
{
    private const int InFlightLimit = 64;

    private readonly DledgerChannel _channel;
    private readonly ProducerOptions _options;
    private readonly ConcurrentStack<Lane> _free = new();
    private readonly SemaphoreSlim _room;
    private volatile bool _isNumbered;

    /// <summary>Sends nothing yet.</summary>
    public Producer(DledgerChannel channel, ProducerOptions? options = null)
    {
        _channel = channel;
        _options = options ?? new ProducerOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.InFlightMax, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_options.InFlightMax, InFlightLimit, nameof(options));
        _isNumbered = _options.IsNumbered;
        _room = new SemaphoreSlim(_options.Name is null ? _options.InFlightMax : 1);
    }

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
        if (_isNumbered && await SendNumberedAsync(request, operation, cancellationToken).ConfigureAwait(false) is { } numbered)
        {
            return ProducerAnswer.Read(numbered);
        }

        var response = await _channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var answer = await _channel.AskAsync(node, node.Messaging.SendMessageAsync(request, options)).ConfigureAwait(false);
                return ProducerAnswer.Judge(answer, operation, messages.Count) is { } failure ? throw failure : answer;
            },
            cancellationToken).ConfigureAwait(false);
        return ProducerAnswer.Read(response);
    }

    /// <summary>Takes back a message that waits for its delivery time; its id.</summary>
    /// <exception cref="ResourceNotFoundException">It was delivered or recalled before.</exception>
    public async Task<string> RecallAsync(
        string topic, string recallHandle, CancellationToken cancellationToken = default)
    {
        var operation = $"Recalling a message of topic '{topic}'";
        var request = new RecallMessageRequest { Topic = new Resource { Name = topic }, RecallHandle = recallHandle };
        return await _channel.CallAsync(
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

    private async Task<SendMessageResponse?> SendNumberedAsync(
        SendMessageRequest request, string operation, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        var lane = _free.TryPop(out var free) ? free : new Lane(_channel, _options.Name ?? "");
        try
        {
            var response = await new NumberedSend(_channel, lane, request, operation)
                .RunAsync(cancellationToken)
                .ConfigureAwait(false);
            _isNumbered = response is not null;
            return response;
        }
        finally
        {
            _free.Push(lane);
            _room.Release();
        }
    }

    private static Message Encode(OutgoingMessage message)
    {
        var system = new SystemProperties
        {
            MessageId = message.MessageId ?? MessageIds.Next(),
            BodyEncoding = message.IsGzip ? Encoding.Gzip : Encoding.Identity,
            MessageType = message.DeliverAt is not null ? Apache.Rocketmq.V2.MessageType.Delay
                : message.LiteTopic is not null ? Apache.Rocketmq.V2.MessageType.Lite
                : message.Priority is not null ? Apache.Rocketmq.V2.MessageType.Priority
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

        if (message.LiteTopic is not null)
        {
            system.LiteTopic = message.LiteTopic;
        }

        if (message.Priority is { } priority)
        {
            system.Priority = priority;
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
