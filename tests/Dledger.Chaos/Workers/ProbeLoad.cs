using System.Diagnostics;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Reports;
using Google.Protobuf;
using Grpc.Core;

namespace Dledger.Chaos.Workers;

/// <summary>Single messages at a steady rate, whatever the answers do, and how long each took.</summary>
internal sealed class ProbeLoad : IAsyncDisposable
{
    private const int WorkerCount = 64;
    private const int BodyBytes = 1024;

    private static readonly TimeSpan CallTimeMax = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _over = new();
    private readonly List<NodeClient> _clients = [];
    private readonly List<Task> _tasks = [];
    private readonly List<double> _taken = [];
    private readonly string _topic;
    private int _failed;
    private int _count;

    /// <param name="node">Whom to send to.</param>
    /// <param name="topic">A topic that exists.</param>
    /// <param name="perSecond">Messages a second.</param>
    public ProbeLoad(ChaosNode node, string topic, int perSecond)
    {
        _topic = topic;
        var pace = new Pace(perSecond);
        _tasks.Add(pace.RunAsync(_over.Token));
        for (var worker = 0; worker < WorkerCount; worker++)
        {
            var client = worker % 8 == 0 ? new NodeClient(node.Place, $"chaos-probe-{worker}") : _clients[^1];
            if (worker % 8 == 0)
            {
                _clients.Add(client);
            }

            _tasks.Add(RunAsync(pace, client));
        }
    }

    /// <summary>Figures since the last call.</summary>
    public LatencyFigures Take()
    {
        lock (_taken)
        {
            var figures = LatencyFigures.Of(_taken, _failed);
            _taken.Clear();
            _failed = 0;
            return figures;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await Task.WhenAll(_tasks);
        _clients.ForEach(client => client.Dispose());
        _over.Dispose();
    }

    private async Task RunAsync(Pace pace, NodeClient client)
    {
        var body = new byte[BodyBytes];
        while (await pace.TakeAsync())
        {
            var begin = Stopwatch.GetTimestamp();
            var isDone = await TrySendAsync(client, body);
            lock (_taken)
            {
                _taken.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
                _failed += isDone ? 0 : 1;
            }
        }
    }

    private async Task<bool> TrySendAsync(NodeClient client, byte[] body)
    {
        var request = new SendMessageRequest
        {
            Messages =
            {
                new Message
                {
                    Topic = new Resource { Name = _topic },
                    Body = UnsafeByteOperations.UnsafeWrap(body),
                    SystemProperties = new SystemProperties
                    {
                        MessageId = $"probe.{Interlocked.Increment(ref _count)}",
                        MessageType = MessageType.Normal,
                        BodyEncoding = Encoding.Identity,
                    },
                },
            },
        };
        try
        {
            return (await client.Messaging.SendMessageAsync(request, client.Options(CallTimeMax))).Status.Code == Code.Ok;
        }
        catch (RpcException)
        {
            return false;
        }
    }
}
