using System.Diagnostics;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Topic = Dledger.Protocol.Admin.V1.Topic;

namespace Dledger.Chaos.Workers;

/// <summary>Sends many small delayed messages, in batches, to a topic of its own. Safe for any thread.</summary>
/// <param name="leader">Whom to send to: who leads hands nothing on.</param>
internal sealed class DelayedLoad(ChaosNode leader) : IDisposable
{
    public const string TopicName = "timers";
    public const int QueueCount = 8;

    private const int BodyBytes = 100;
    private const int BatchCount = 256;
    private const int SenderCount = 4;

    private static readonly TimeSpan CallTimeMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ErrorDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StallMax = TimeSpan.FromSeconds(60);

    private readonly NodeClient _client = new(leader.Place, "chaos-timers");
    private readonly byte[] _body = new byte[BodyBytes];
    private long _begun;
    private long _acked;

    /// <summary>Creates the topic; it stays.</summary>
    /// <exception cref="ChaosException">It is refused.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var topic = new Topic { Name = TopicName, QueueCount = QueueCount, AcceptMessageTypes = { MessageType.Delay } };
        var answer = await _client.Admin.CreateTopicAsync(
            new CreateTopicRequest { Topic = topic }, _client.Options(CallTimeMax, cancellationToken));
        if (answer.Status.Code != AdminCode.AdminOk)
        {
            throw new ChaosException($"the topic {TopicName} cannot be created: {answer.Status.Message}");
        }
    }

    /// <summary>Sends messages that are due at times spread evenly over a span.</summary>
    /// <returns>How long it took.</returns>
    /// <exception cref="ChaosException">Nothing was acked for a minute.</exception>
    public async Task<TimeSpan> SendAsync(long count, DateTime dueFrom, TimeSpan span, CancellationToken cancellationToken)
    {
        (_begun, _acked) = (0, 0);
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, SenderCount).Select(
            _ => SendBatchesAsync(count, dueFrom, span, cancellationToken)));
        return _acked == count
            ? watch.Elapsed
            : throw new ChaosException($"only {_acked} of {count} delayed messages were acked, then none for {StallMax.TotalSeconds} s");
    }

    public void Dispose() => _client.Dispose();

    private async Task SendBatchesAsync(long count, DateTime dueFrom, TimeSpan span, CancellationToken cancellationToken)
    {
        var stall = Stopwatch.StartNew();
        while (stall.Elapsed < StallMax)
        {
            var first = Interlocked.Add(ref _begun, BatchCount) - BatchCount;
            if (first >= count)
            {
                return;
            }

            var request = MakeBatch(first, Math.Min(BatchCount, count - first), count, dueFrom, span);
            while (stall.Elapsed < StallMax && !await TrySendAsync(request, cancellationToken))
            {
                await Wait.ForAsync(ErrorDelay, cancellationToken);
            }

            Interlocked.Add(ref _acked, request.Messages.Count);
            stall.Restart();
        }
    }

    // The messages of one batch lie far apart in time, as those of many senders do.
    private SendMessageRequest MakeBatch(long first, long batch, long count, DateTime dueFrom, TimeSpan span)
    {
        var request = new SendMessageRequest();
        for (var number = first; number < first + batch; number++)
        {
            var place = (double)(number * 7_919 % count) / count;
            request.Messages.Add(new Message
            {
                Topic = new Resource { Name = TopicName },
                Body = UnsafeByteOperations.UnsafeWrap(_body),
                SystemProperties = new SystemProperties
                {
                    MessageId = $"timer.{number}",
                    MessageType = MessageType.Delay,
                    BodyEncoding = Encoding.Identity,
                    DeliveryTimestamp = Timestamp.FromDateTime(dueFrom + (place * span)),
                },
            });
        }

        return request;
    }

    private async Task<bool> TrySendAsync(SendMessageRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await _client.Messaging.SendMessageAsync(request, _client.Options(CallTimeMax, cancellationToken));
            return answer.Status.Code == Code.Ok;
        }
        catch (RpcException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
