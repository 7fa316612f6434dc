using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.Server.Tests.Wire;

/// <summary>A bare client of the protocol: builds requests as the official libraries do and hides nothing.</summary>
internal sealed class TestClient : IDisposable
{
    private readonly GrpcChannel _channel;
    private int _messageCount;

    public TestClient(int port, string clientId = "host@1@0@test", string language = "JAVA")
    {
        Port = port;
        ClientId = clientId;
        Language = language;
        _channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}", new GrpcChannelOptions
        {
            MaxReceiveMessageSize = 4_194_304,
            MaxSendMessageSize = null,
        });
        Messaging = new MessagingService.MessagingServiceClient(_channel);
        Admin = new AdminService.AdminServiceClient(_channel);
        RocketAdmin = new Apache.Rocketmq.V2.Admin.AdminClient(_channel);
        Offsets = new OffsetService.OffsetServiceClient(_channel);
        Timers = new TimerAdminService.TimerAdminServiceClient(_channel);
        LiteTopics = new LiteAdminService.LiteAdminServiceClient(_channel);
    }

    public int Port { get; }

    public string ClientId { get; }

    public string Language { get; }

    public MessagingService.MessagingServiceClient Messaging { get; }

    public AdminService.AdminServiceClient Admin { get; }

    public Apache.Rocketmq.V2.Admin.AdminClient RocketAdmin { get; }

    public OffsetService.OffsetServiceClient Offsets { get; }

    public TimerAdminService.TimerAdminServiceClient Timers { get; }

    public LiteAdminService.LiteAdminServiceClient LiteTopics { get; }

    public void Dispose() => _channel.Dispose();

    /// <summary>Metadata as the libraries send it, and a deadline.</summary>
    public CallOptions Options(TimeSpan? timeout = null, CancellationToken cancellationToken = default) => new(
        [new("x-mq-client-id", ClientId), new("x-mq-language", Language), new("x-mq-protocol", "v2")],
        DateTime.UtcNow + (timeout ?? TimeSpan.FromSeconds(30)),
        cancellationToken);

    public static Resource Resource(string name) => new() { Name = name };

    public Endpoints AccessPoint() => new()
    {
        Scheme = AddressScheme.Ipv4,
        Addresses = { new Address { Host = "127.0.0.1", Port = Port } },
    };

    /// <summary>A message that keeps every rule.</summary>
    public Message Message(string topic, string body = "body", Action<Message>? change = null)
    {
        var message = new Message
        {
            Topic = Resource(topic),
            Body = ByteString.CopyFromUtf8(body),
            SystemProperties = new SystemProperties
            {
                MessageId = $"01{Interlocked.Increment(ref _messageCount):X32}",
                BodyEncoding = Apache.Rocketmq.V2.Encoding.Identity,
                MessageType = Apache.Rocketmq.V2.MessageType.Normal,
                BornTimestamp = Timestamp.FromDateTime(DateTime.UtcNow),
                BornHost = "born.example",
            },
        };
        change?.Invoke(message);
        return message;
    }

    public async Task<SendMessageResponse> SendAsync(params Message[] messages)
    {
        var request = new SendMessageRequest();
        request.Messages.AddRange(messages);
        return await Messaging.SendMessageAsync(request, Options());
    }

    public async Task<QueryRouteResponse> QueryRouteAsync(string topic) => await Messaging.QueryRouteAsync(
        new QueryRouteRequest { Topic = Resource(topic), Endpoints = AccessPoint() }, Options());

    /// <summary>A receive of a simple consumer.</summary>
    public ReceiveMessageRequest ReceiveRequest(
        string topic, string group, Action<ReceiveMessageRequest>? change = null)
    {
        var request = new ReceiveMessageRequest
        {
            Group = Resource(group),
            MessageQueue = new MessageQueue { Topic = Resource(topic), Id = 0 },
            FilterExpression = new FilterExpression { Type = FilterType.Tag, Expression = "*" },
            BatchSize = 32,
            InvisibleDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)),
            LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)),
        };
        change?.Invoke(request);
        return request;
    }

    /// <summary>All frames of a receive, in order.</summary>
    public async Task<IReadOnlyList<ReceiveMessageResponse>> ReceiveFramesAsync(
        ReceiveMessageRequest request, TimeSpan? timeout = null)
    {
        var frames = new List<ReceiveMessageResponse>();
        using var call = Messaging.ReceiveMessage(request, Options(timeout));
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            frames.Add(call.ResponseStream.Current);
        }

        return frames;
    }

    /// <summary>The messages of one receive.</summary>
    public async Task<IReadOnlyList<Message>> ReceiveAsync(
        string topic, string group, Action<ReceiveMessageRequest>? change = null)
    {
        var frames = await ReceiveFramesAsync(ReceiveRequest(topic, group, change));
        return [.. frames
            .Where(frame => frame.ContentCase == ReceiveMessageResponse.ContentOneofCase.Message)
            .Select(frame => frame.Message)];
    }

    public async Task<AckMessageResponse> AckAsync(string topic, string group, params string[] handles)
    {
        var request = new AckMessageRequest { Topic = Resource(topic), Group = Resource(group) };
        request.Entries.AddRange(handles.Select((handle, index) => new AckMessageEntry
        {
            MessageId = $"id{index}",
            ReceiptHandle = handle,
        }));
        return await Messaging.AckMessageAsync(request, Options());
    }
}
