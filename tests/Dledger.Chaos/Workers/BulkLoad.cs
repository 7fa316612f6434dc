using System.Diagnostics;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Dledger.Chaos.Workers;

/// <summary>Fills the log through the usual interface: batches of messages to a topic of their own, which no history records.
/// Safe for any thread.</summary>
/// <param name="nodes">Whom to send to, the first first; the next one after a failure.</param>
internal sealed class BulkLoad(IEnumerable<ChaosNode> nodes) : IDisposable
{
    public const string TopicName = "bulk";

    /// <summary>Bytes of one message body.</summary>
    public const int BodyBytes = 4096;

    private const int QueueCount = 4;
    private const int BatchCount = 64;
    private const int SenderCount = 6;

    private static readonly TimeSpan CreatePatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CallTimeMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ErrorDelay = TimeSpan.FromMilliseconds(50);

    private readonly NodeClient[] _clients = [.. nodes.Select(node => new NodeClient(node.Place, "chaos-bulk"))];
    private long _acked;
    private long _begun;
    private long _messages;

    /// <summary>Bytes of bodies that were acked.</summary>
    public long AckedBytes => Volatile.Read(ref _acked);

    /// <summary>Creates the topic; it stays.</summary>
    /// <exception cref="ChaosException">Nobody creates it.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var turn = 0;
        var isDone = await Wait.UntilAsync(
            CreatePatience,
            async () =>
            {
                var client = _clients[turn++ % _clients.Length];
                try
                {
                    var answer = await client.Admin.CreateTopicAsync(
                        new CreateTopicRequest { Topic = new Protocol.Admin.V1.Topic { Name = TopicName, QueueCount = QueueCount } },
                        client.Options(CallTimeMax, cancellationToken));
                    return answer.Status.Code == AdminCode.AdminOk;
                }
                catch (RpcException)
                {
                    return false;
                }
            },
            cancellationToken);
        if (!isDone)
        {
            throw new ChaosException($"the topic {TopicName} cannot be created");
        }
    }

    /// <summary>Sends until so many bytes of bodies are acked. Ends early, and says so, when nothing is acked for long.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="stallMax">Longest time without an ack.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>False: it has given up.</returns>
    public async Task<bool> SendAsync(long bytes, TimeSpan stallMax, CancellationToken cancellationToken)
    {
        var target = AckedBytes + bytes;
        Volatile.Write(ref _begun, AckedBytes);
        await Task.WhenAll(Enumerable.Range(0, SenderCount).Select(
            sender => SendAsync(sender, target, stallMax, cancellationToken)));
        return AckedBytes >= target;
    }

    /// <summary>The smallest queue offset that is still there in every queue; 0 when nobody answers.</summary>
    public async Task<long> StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            var answer = await _clients[0].Admin.DescribeTopicAsync(
                new DescribeTopicRequest { Name = TopicName }, _clients[0].Options(CallTimeMax, cancellationToken));
            return answer.Queues.Select(queue => queue.MinOffset).DefaultIfEmpty().Min();
        }
        catch (RpcException)
        {
            return 0;
        }
    }

    public void Dispose() => Array.ForEach(_clients, client => client.Dispose());

    private async Task SendAsync(int sender, long target, TimeSpan stallMax, CancellationToken cancellationToken)
    {
        var body = new byte[BodyBytes];
        new Random(sender).NextBytes(body);
        var turn = 0;
        var stall = Stopwatch.StartNew();
        const long batchBytes = BatchCount * BodyBytes;
        while (stall.Elapsed < stallMax && Interlocked.Add(ref _begun, batchBytes) - batchBytes < target)
        {
            var client = _clients[turn % _clients.Length];
            if (await TrySendAsync(client, body, cancellationToken))
            {
                Interlocked.Add(ref _acked, batchBytes);
                stall.Restart();
                continue;
            }

            turn++;
            Interlocked.Add(ref _begun, -batchBytes);
            await Wait.ForAsync(ErrorDelay, cancellationToken);
        }
    }

    private async Task<bool> TrySendAsync(NodeClient client, byte[] body, CancellationToken cancellationToken)
    {
        var request = new SendMessageRequest();
        for (var n = 0; n < BatchCount; n++)
        {
            request.Messages.Add(new Message
            {
                Topic = new Resource { Name = TopicName },
                Body = UnsafeByteOperations.UnsafeWrap(body),
                SystemProperties = new SystemProperties
                {
                    MessageId = $"bulk.{Interlocked.Increment(ref _messages)}",
                    MessageType = MessageType.Normal,
                    BodyEncoding = Encoding.Identity,
                },
            });
        }

        try
        {
            var answer = await client.Messaging.SendMessageAsync(request, client.Options(CallTimeMax, cancellationToken));
            return answer.Status.Code == Code.Ok;
        }
        catch (RpcException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
