using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Dledger.Protocol.Producer.V1;
using Dledger.Protocol.Stream.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.Client.Connections;

/// <summary>The channel to one node, its service stubs and the headers that every call carries.</summary>
internal sealed class NodeConnection : IDisposable
{
    // The least that the handler takes.
    private static readonly TimeSpan PingDelayMin = TimeSpan.FromSeconds(1);

    private static readonly string Version =
        typeof(NodeConnection).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    private readonly GrpcChannel _channel;
    private readonly string _clientId;

    public NodeConnection(NodeAddress address, DledgerChannelOptions options)
    {
        Address = address;
        _clientId = options.ClientId;

        // A long stream has no deadline: that nothing comes over it may mean that there is nothing, or that the node is frozen or out of
        // reach. An unanswered ping ends it.
        var pingDelay = options.RequestTimeout > PingDelayMin ? options.RequestTimeout : PingDelayMin;
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            ConnectTimeout = options.RequestTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingDelay = pingDelay,
            KeepAlivePingTimeout = pingDelay,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        };
        if (options.AcceptAnyCertificate)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        }

        _channel = GrpcChannel.ForAddress(address.Uri, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = null,
            MaxSendMessageSize = null,
        });
        Messaging = new MessagingService.MessagingServiceClient(_channel);
        Admin = new AdminService.AdminServiceClient(_channel);
        Producers = new ProducerService.ProducerServiceClient(_channel);
        Offsets = new OffsetService.OffsetServiceClient(_channel);
        Timers = new TimerAdminService.TimerAdminServiceClient(_channel);
        Messages = new MessageService.MessageServiceClient(_channel);
        DeadLetters = new DeadLetterService.DeadLetterServiceClient(_channel);
        LiteTopics = new LiteAdminService.LiteAdminServiceClient(_channel);
        Parking = new ParkingService.ParkingServiceClient(_channel);
        TopicRoutes = new TopicRouteService.TopicRouteServiceClient(_channel);
        Streams = new StreamService.StreamServiceClient(_channel);
        Transactions = new TransactionAdminService.TransactionAdminServiceClient(_channel);
    }

    public NodeAddress Address { get; }

    public MessagingService.MessagingServiceClient Messaging { get; }

    public AdminService.AdminServiceClient Admin { get; }

    public ProducerService.ProducerServiceClient Producers { get; }
    public OffsetService.OffsetServiceClient Offsets { get; }

    public TimerAdminService.TimerAdminServiceClient Timers { get; }

    public MessageService.MessageServiceClient Messages { get; }

    public DeadLetterService.DeadLetterServiceClient DeadLetters { get; }

    public ParkingService.ParkingServiceClient Parking { get; }

    public TopicRouteService.TopicRouteServiceClient TopicRoutes { get; }

    public LiteAdminService.LiteAdminServiceClient LiteTopics { get; }

    public StreamService.StreamServiceClient Streams { get; }

    public TransactionAdminService.TransactionAdminServiceClient Transactions { get; }

    /// <summary>The transport headers of the protocol; the server wants at least the client id.</summary>
    public Metadata Headers() => new()
    {
        { "x-mq-client-id", _clientId },
        { "x-mq-language", "DOTNET" },
        { "x-mq-client-version", Version },
        { "x-mq-protocol", "v2" },
        { "x-mq-request-id", Guid.NewGuid().ToString() },
    };

    public void Dispose() => _channel.Dispose();
}
