using Apache.Rocketmq.V2;
using Dledger.Chaos.Clusters;
using Dledger.Protocol.Admin.V1;
using Dledger.Protocol.Producer.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.Chaos.Workers;

/// <summary>One client's connection to one node. Safe for any thread.</summary>
internal sealed class NodeClient : IDisposable
{
    private static readonly TimeSpan ConnectTimeMax = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(2);

    private readonly GrpcChannel _channel;
    private readonly string _clientId;

    public NodeClient(NodePlace place, string clientId)
    {
        Node = place.Id;
        _clientId = clientId;
        _channel = GrpcChannel.ForAddress($"http://{place.Address}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                EnableMultipleHttp2Connections = true,
                ConnectTimeout = ConnectTimeMax,
                KeepAlivePingDelay = PingDelay,
                KeepAlivePingTimeout = PingDelay,
            },
            DisposeHttpClient = true,
        });
        Messaging = new MessagingService.MessagingServiceClient(_channel);
        Admin = new AdminService.AdminServiceClient(_channel);
        Offsets = new OffsetService.OffsetServiceClient(_channel);
        Routes = new TopicRouteService.TopicRouteServiceClient(_channel);
        Parking = new ParkingService.ParkingServiceClient(_channel);
        Letters = new DeadLetterService.DeadLetterServiceClient(_channel);
        Timers = new TimerAdminService.TimerAdminServiceClient(_channel);
        Lites = new LiteAdminService.LiteAdminServiceClient(_channel);
        Producers = new ProducerService.ProducerServiceClient(_channel);
    }

    public int Node { get; }

    public MessagingService.MessagingServiceClient Messaging { get; }

    public AdminService.AdminServiceClient Admin { get; }

    public OffsetService.OffsetServiceClient Offsets { get; }

    public TopicRouteService.TopicRouteServiceClient Routes { get; }

    public ParkingService.ParkingServiceClient Parking { get; }

    public DeadLetterService.DeadLetterServiceClient Letters { get; }

    public TimerAdminService.TimerAdminServiceClient Timers { get; }

    public LiteAdminService.LiteAdminServiceClient Lites { get; }

    public ProducerService.ProducerServiceClient Producers { get; }

    public CallOptions Options(TimeSpan deadline, CancellationToken cancellationToken = default) => new(
        new Metadata { { "x-mq-client-id", _clientId }, { "x-mq-language", "DOTNET" }, { "x-mq-protocol", "v2" } },
        DateTime.UtcNow + deadline,
        cancellationToken);

    public void Dispose() => _channel.Dispose();
}
