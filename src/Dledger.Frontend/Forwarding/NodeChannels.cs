using System.Collections.Concurrent;
using System.Net.Security;
using Apache.Rocketmq.V2;
using Dledger.Frontend.Nodes;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Dledger.Protocol.Node.V1;
using Dledger.Protocol.Stream.V1;
using Grpc.Net.Client;
using NumberService = Dledger.Protocol.Producer.V1.ProducerService;

namespace Dledger.Frontend.Forwarding;

/// <summary>gRPC channels to the client ports of the other nodes, opened when first needed. Safe for any
/// thread.</summary>
internal sealed class NodeChannels(FrontendOptions options, NodeDirectory nodes) : IDisposable
{
    /// <summary>A node that does not answer a connection attempt within this time counts as gone.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Finds connections whose other end vanished without a word.</summary>
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(5);

    // By address: a node may come back elsewhere.
    private readonly ConcurrentDictionary<string, Lazy<GrpcChannel>> _channels = new();

    public MessagingService.MessagingServiceClient Messaging(NodeId node) => new(Channel(node));

    public ProducerService.ProducerServiceClient Producers(NodeId node) => new(Channel(node));

    public TransactionAdminService.TransactionAdminServiceClient Transactions(NodeId node) => new(Channel(node));

    public AdminService.AdminServiceClient Admin(NodeId node) => new(Channel(node));

    public NumberService.ProducerServiceClient NumberedProducers(NodeId node) => new(Channel(node));

    public OffsetService.OffsetServiceClient Offsets(NodeId node) => new(Channel(node));

    public ParkingService.ParkingServiceClient Parking(NodeId node) => new(Channel(node));

    public TopicRouteService.TopicRouteServiceClient TopicRoutes(NodeId node) => new(Channel(node));

    public TimerAdminService.TimerAdminServiceClient Timers(NodeId node) => new(Channel(node));

    public MessageService.MessageServiceClient Messages(NodeId node) => new(Channel(node));

    public DeadLetterService.DeadLetterServiceClient DeadLetters(NodeId node) => new(Channel(node));

    public ClientService.ClientServiceClient Clients(NodeId node) => new(Channel(node));

    public Admin.AdminClient RocketAdmin(NodeId node) => new(Channel(node));

    public LiteAdminService.LiteAdminServiceClient LiteTopics(NodeId node) => new(Channel(node));

    public StreamService.StreamServiceClient Streams(NodeId node) => new(Channel(node));

    public void Dispose()
    {
        foreach (var channel in _channels.Values.Where(channel => channel.IsValueCreated))
        {
            channel.Value.Dispose();
        }
    }

    private GrpcChannel Channel(NodeId node)
    {
        var found = nodes.Find(node);
        Invariant.Check(found is not null, "a call was to be forwarded to a node outside the cluster");
        return _channels.GetOrAdd(found.ClientAddress, address => new Lazy<GrpcChannel>(() => Open(address))).Value;
    }

    private GrpcChannel Open(string address)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = PingDelay,
            KeepAlivePingTimeout = PingDelay,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            ActivityHeadersPropagator = null,
        };
        if (options.ForwardsByTls)
        {
            // The nodes make their own certificates; the configuration names the nodes, not who vouches for them.
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
            };
        }

        var scheme = options.ForwardsByTls ? "https" : "http";
        return GrpcChannel.ForAddress($"{scheme}://{address}", new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = options.RequestBytesMax,
            MaxSendMessageSize = options.RequestBytesMax,
        });
    }
}
