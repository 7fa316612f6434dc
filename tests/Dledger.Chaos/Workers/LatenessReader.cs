using Apache.Rocketmq.V2;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Reports;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Chaos.Workers;

/// <summary>Reads the queues of <see cref="DelayedLoad"/> as messages come, and notes how late each one is.</summary>
/// <remarks>The nodes and this program share a clock.</remarks>
internal sealed class LatenessReader(ChaosNode leader) : IDisposable
{
    private const int BatchSize = 1_024;

    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CallTimeMax = TimeSpan.FromSeconds(15);

    private readonly NodeClient _client = new(leader.Place, "chaos-timers");
    private readonly Lock _lock = new();
    private readonly List<double> _stored = [];
    private readonly List<double> _received = [];
    private readonly HashSet<string> _ids = [];

    /// <summary>Different messages that came.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _ids.Count;
            }
        }
    }

    /// <summary>Messages that came more than once.</summary>
    public int Repeated
    {
        get
        {
            lock (_lock)
            {
                return _received.Count - _ids.Count;
            }
        }
    }

    /// <summary>Milliseconds from when a message was due until it stood in its queue; the broker's part.</summary>
    public LatencyFigures Stored => FiguresOf(_stored);

    /// <summary>Milliseconds from when a message was due until this program had it.</summary>
    public LatencyFigures Received => FiguresOf(_received);

    /// <summary>The smallest of <see cref="Stored"/>: below zero, a message was early.</summary>
    public double Earliest
    {
        get
        {
            lock (_lock)
            {
                return _stored.DefaultIfEmpty().Min();
            }
        }
    }

    /// <summary>Reads until so many different messages came, or it is cancelled.</summary>
    public async Task ReadAsync(long count, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, DelayedLoad.QueueCount).Select(queue => ReadAsync(queue, count, enough)));
        }
        catch (Exception exception) when (enough.IsCancellationRequested && exception is RpcException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task ReadAsync(int queue, long count, CancellationTokenSource enough)
    {
        var offset = 0L;
        while (true)
        {
            using var call = _client.Messaging.PullMessage(
                new PullMessageRequest
                {
                    Group = new Resource { Name = "timers" },
                    MessageQueue = new MessageQueue { Topic = new Resource { Name = DelayedLoad.TopicName }, Id = queue },
                    Offset = offset,
                    BatchSize = BatchSize,
                    LongPollingTimeout = Duration.FromTimeSpan(LongPoll),
                },
                _client.Options(CallTimeMax, enough.Token));
            await foreach (var frame in call.ResponseStream.ReadAllAsync(enough.Token))
            {
                switch (frame.ContentCase)
                {
                    case PullMessageResponse.ContentOneofCase.Message when Take(frame.Message.SystemProperties) >= count:
                        await enough.CancelAsync();
                        return;
                    case PullMessageResponse.ContentOneofCase.NextOffset:
                        offset = frame.NextOffset;
                        break;
                    case PullMessageResponse.ContentOneofCase.Status when frame.Status.Code is not (Code.Ok or Code.MessageNotFound):
                        throw new ChaosException($"a pull of queue {queue}: {frame.Status.Code} {frame.Status.Message}");
                    default:
                        break;
                }
            }
        }
    }

    private int Take(SystemProperties message)
    {
        var now = DateTime.UtcNow;
        var due = message.DeliveryTimestamp.ToDateTime();
        lock (_lock)
        {
            _stored.Add((message.StoreTimestamp.ToDateTime() - due).TotalMilliseconds);
            _received.Add((now - due).TotalMilliseconds);
            _ids.Add(message.MessageId);
            return _ids.Count;
        }
    }

    private LatencyFigures FiguresOf(List<double> milliseconds)
    {
        lock (_lock)
        {
            return LatencyFigures.Of(milliseconds, failed: 0);
        }
    }
}
