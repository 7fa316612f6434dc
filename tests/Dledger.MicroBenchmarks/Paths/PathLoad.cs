using System.Collections.Concurrent;
using Apache.Rocketmq.V2;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.MicroBenchmarks.Paths;

/// <summary>The client of <see cref="PathReport"/>: calls as the official libraries make them, sixteen at a time.</summary>
internal sealed class PathLoad : IDisposable
{
    private const int InFlight = 16;
    private const int BodyBytes = 1024;
    private const int ReceiveBatch = 32;
    private const string Topic = "orders";
    private const string Group = "billing";

    private readonly GrpcChannel _channel;
    private readonly MessagingService.MessagingServiceClient _client;
    private readonly ConcurrentQueue<(string Id, string Handle)> _received = new();
    private readonly ByteString _body = ByteString.CopyFrom(new byte[BodyBytes]);
    private int _number;

    public PathLoad(int port)
    {
        _channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        _client = new MessagingService.MessagingServiceClient(_channel);
        All =
        [
            new("SendMessage, 1 KiB", count => RunAsync(count, SendAsync)),
            new("SendMessage, 1 KiB, tag, key, property", count => RunAsync(count, SendRichAsync)),
            new("SendMessage, 1 KiB, 32 in one request", count => RunAsync(count, SendBatchAsync)),
            new("ReceiveMessage, up to 32 messages", count => RunAsync(count, ReceiveAsync))
            {
                FinishAsync = () => RunAsync(int.MaxValue, AckAsync),
            },
            new("AckMessage, 32 handles", count => RunAsync(count, AckAsync))
            {
                PrepareAsync = count => RunAsync(count, ReceiveAsync),
            },
        ];
    }

    public IReadOnlyList<NamedPath> All { get; }

    public void Dispose() => _channel.Dispose();

    private static CallOptions Options() => new(
        [new("x-mq-client-id", "host@1@0@bench"), new("x-mq-language", "JAVA"), new("x-mq-protocol", "v2")],
        DateTime.UtcNow + TimeSpan.FromSeconds(30));

    private static Resource Resource(string name) => new() { Name = name };

    /// <summary>Makes calls until that many messages went through them, or there are none left.</summary>
    private static async Task<int> RunAsync(int count, Func<Task<int>> call)
    {
        var done = 0;
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(async _ =>
        {
            while (Volatile.Read(ref done) < count && await call() is > 0 and var messages)
            {
                Interlocked.Add(ref done, messages);
            }
        }));
        return done;
    }

    private static void CheckOk(Apache.Rocketmq.V2.Status status)
    {
        if (status.Code != Code.Ok)
        {
            throw new InvalidOperationException(status.ToString());
        }
    }

    private Message MessageOf(bool isRich)
    {
        var message = new Message
        {
            Topic = Resource(Topic),
            Body = _body,
            SystemProperties = new SystemProperties
            {
                MessageId = $"01{Interlocked.Increment(ref _number):X32}",
                BodyEncoding = Encoding.Identity,
                MessageType = MessageType.Normal,
                BornTimestamp = Timestamp.FromDateTime(DateTime.UtcNow),
                BornHost = "born.example",
            },
        };
        if (isRich)
        {
            message.SystemProperties.Tag = "red";
            message.SystemProperties.Keys.Add("order-4711");
            message.UserProperties["colour"] = "blau";
        }

        return message;
    }

    private Task<int> SendAsync() => SendAsync([MessageOf(false)]);

    private Task<int> SendRichAsync() => SendAsync([MessageOf(true)]);

    private Task<int> SendBatchAsync() => SendAsync([.. Enumerable.Range(0, 32).Select(_ => MessageOf(false))]);

    private async Task<int> SendAsync(Message[] messages)
    {
        var request = new SendMessageRequest();
        request.Messages.AddRange(messages);
        var response = await _client.SendMessageAsync(request, Options());
        CheckOk(response.Status);
        return messages.Length;
    }

    private async Task<int> ReceiveAsync()
    {
        var request = new ReceiveMessageRequest
        {
            Group = Resource(Group),
            MessageQueue = new MessageQueue { Topic = Resource(Topic), Id = 0 },
            FilterExpression = new FilterExpression { Type = FilterType.Tag, Expression = "*" },
            BatchSize = ReceiveBatch,
            InvisibleDuration = Duration.FromTimeSpan(TimeSpan.FromMinutes(30)),
            LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)),
        };
        var count = 0;
        using var call = _client.ReceiveMessage(request, Options());
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            if (call.ResponseStream.Current.Message is { SystemProperties: var system })
            {
                _received.Enqueue((system.MessageId, system.ReceiptHandle));
                count++;
            }
        }

        return count;
    }

    private async Task<int> AckAsync()
    {
        var request = new AckMessageRequest { Topic = Resource(Topic), Group = Resource(Group) };
        while (request.Entries.Count < ReceiveBatch && _received.TryDequeue(out var message))
        {
            request.Entries.Add(new AckMessageEntry { MessageId = message.Id, ReceiptHandle = message.Handle });
        }

        if (request.Entries.Count > 0)
        {
            CheckOk((await _client.AckMessageAsync(request, Options())).Status);
        }

        return request.Entries.Count;
    }
}

/// <summary>A kind of call.</summary>
/// <param name="Name">What is called.</param>
/// <param name="RunAsync">Calls for so many messages, and says how many it were.</param>
internal sealed record NamedPath(string Name, Func<int, Task<int>> RunAsync)
{
    /// <summary>Makes what so many calls need; not counted.</summary>
    public Func<int, Task<int>> PrepareAsync { get; init; } = static _ => Task.FromResult(0);

    /// <summary>Clears up behind them; not counted.</summary>
    public Func<Task<int>> FinishAsync { get; init; } = static () => Task.FromResult(0);
}
