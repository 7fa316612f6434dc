using Apache.Rocketmq.V2;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Workers;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Status = Apache.Rocketmq.V2.Status;

namespace Dledger.Chaos.Features;

/// <summary>
/// A client that does not give up while nodes die: it asks one after the other until one gives an answer that is final. A repeated send
/// has the same message id, so a message may be stored twice, as with any client whose answer was lost.
/// </summary>
internal sealed class PatientClient : IDisposable
{
    // More than a round sends. All topics of a cluster share a bound, and the rounds leave theirs behind.
    private const int IdWindowCount = 10_000;

    private static readonly TimeSpan AttemptTimeMax = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly IReadOnlyList<ChaosNode> _cluster;
    private readonly NodeClient[] _nodes;
    private int _next;

    public PatientClient(IReadOnlyList<ChaosNode> nodes, string clientId)
    {
        _cluster = nodes;
        _nodes = [.. nodes.Select(node => new NodeClient(node.Place, clientId))];
    }

    /// <summary>One for each node.</summary>
    public IReadOnlyList<NodeClient> Nodes => _nodes;

    /// <summary>Where the nodes are.</summary>
    public IReadOnlyList<string> Addresses => [.. _cluster.Select(node => node.Place.Address)];

    /// <summary>Another client of the same nodes, with connections of its own.</summary>
    public PatientClient As(string clientId) => new(_cluster, clientId);

    /// <summary>Creates a topic and a group for it.</summary>
    public async Task CreateAsync(Topic topic, Group group, CancellationToken cancellationToken)
    {
        await CreateTopicAsync(topic, cancellationToken);
        await AdministerAsync(
            (node, options) => node.Admin.CreateGroupAsync(new CreateGroupRequest { Group = group }, options),
            answer => answer.Status,
            cancellationToken);
    }

    /// <summary>Creates a topic. A window of ids that is bounded by time alone gets room for a round.</summary>
    public Task CreateTopicAsync(Topic topic, CancellationToken cancellationToken)
    {
        if (topic.IdWindowTime is not null && topic.IdWindowCount == 0)
        {
            topic.IdWindowCount = IdWindowCount;
        }

        return AdministerAsync(
            (node, options) => node.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = topic }, options),
            answer => answer.Status,
            cancellationToken);
    }

    /// <summary>Stores a message at least once; what the last answer says of it.</summary>
    /// <exception cref="ChaosException">It is refused.</exception>
    public async Task<SendResultEntry> SendAsync(
        string topic, string id, Action<Message> complete, CancellationToken cancellationToken)
    {
        var request = new SendMessageRequest { Messages = { NewMessage(topic, id, complete) } };
        var answer = await CallAsync(
            async (node, options) => await node.Messaging.SendMessageAsync(request, options),
            response => response.Status,
            cancellationToken);
        return answer.Status.Code == Code.Ok
            ? answer.Entries[0]
            : throw new ChaosException($"sending {id} to {topic}: {answer.Status.Code} {answer.Status.Message}");
    }

    /// <summary>Sends a message in one attempt; how it ended, and what the answer says of it.</summary>
    public async Task<(CallEnd End, Status? Status, SendResultEntry? Entry)> TrySendAsync(
        string topic, string id, Action<Message> complete, CancellationToken cancellationToken)
    {
        var request = new SendMessageRequest { Messages = { NewMessage(topic, id, complete) } };
        var node = _nodes[(_next & int.MaxValue) % _nodes.Length];
        try
        {
            var answer = await node.Messaging.SendMessageAsync(request, node.Options(AttemptTimeMax, cancellationToken));
            return (CallEnd.Of(answer.Status), answer.Status, answer.Entries.FirstOrDefault());
        }
        catch (RpcException exception) when (!cancellationToken.IsCancellationRequested)
        {
            _next++;
            return (CallEnd.Of(exception), null, null);
        }
    }

    /// <summary>What a receive brings; nothing when it ends badly.</summary>
    public async Task<IReadOnlyList<Message>> ReceiveAsync(
        ReceiveMessageRequest request, CancellationToken cancellationToken) =>
        (await TryReceiveAsync(request, cancellationToken)).Messages;

    /// <summary>What a receive brings, and whether that is all that was handed out for it.</summary>
    public async Task<(IReadOnlyList<Message> Messages, bool IsWhole)> TryReceiveAsync(
        ReceiveMessageRequest request, CancellationToken cancellationToken)
    {
        var messages = new List<Message>();
        var isWhole = false;
        try
        {
            var node = _nodes[(_next & int.MaxValue) % _nodes.Length];
            using var call = node.Messaging.ReceiveMessage(
                request, node.Options(request.LongPollingTimeout.ToTimeSpan() + AttemptTimeMax, cancellationToken));
            await foreach (var frame in call.ResponseStream.ReadAllAsync(cancellationToken))
            {
                if (frame.ContentCase == ReceiveMessageResponse.ContentOneofCase.Message)
                {
                    messages.Add(frame.Message);
                }
                else if (frame.ContentCase == ReceiveMessageResponse.ContentOneofCase.Status)
                {
                    isWhole = frame.Status.Code is Code.Ok or Code.MessageNotFound or Code.TooManyRequests;
                    if (isWhole || IsTransient(frame.Status.Code))
                    {
                        continue;
                    }

                    throw new ChaosException($"a receive by {request.Group.Name}: {frame.Status.Code} {frame.Status.Message}");
                }
            }
        }
        catch (RpcException) when (!cancellationToken.IsCancellationRequested)
        {
            isWhole = false;
            _next++;
            await Machines.Wait.ForAsync(Pause, cancellationToken);
        }

        return (messages, isWhole);
    }

    /// <summary>The messages of a queue from an offset on, some of them, and the offset behind these.</summary>
    public async Task<(IReadOnlyList<Message> Messages, long NextOffset)> PullAsync(
        string topic, int queueId, long offset, CancellationToken cancellationToken)
    {
        var messages = new List<Message>();
        var next = offset;
        try
        {
            var node = _nodes[(_next & int.MaxValue) % _nodes.Length];
            var request = new PullMessageRequest
            {
                Group = new Resource { Name = "feature-reader" },
                MessageQueue = new MessageQueue { Topic = new Resource { Name = topic }, Id = queueId },
                Offset = offset,
                BatchSize = 32,
                FilterExpression = new FilterExpression { Type = FilterType.Tag, Expression = "*" },
                LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)),
            };
            using var call = node.Messaging.PullMessage(request, node.Options(AttemptTimeMax, cancellationToken));
            await foreach (var frame in call.ResponseStream.ReadAllAsync(cancellationToken))
            {
                if (frame.ContentCase == PullMessageResponse.ContentOneofCase.Message)
                {
                    messages.Add(frame.Message);
                }
                else if (frame.ContentCase == PullMessageResponse.ContentOneofCase.NextOffset)
                {
                    next = frame.NextOffset;
                }
                else if (frame.Status.Code is not (Code.Ok or Code.MessageNotFound) && !IsTransient(frame.Status.Code))
                {
                    throw new ChaosException($"pulling {topic} {queueId}/{offset}: {frame.Status.Code} {frame.Status.Message}");
                }
            }

            return (messages, next);
        }
        catch (RpcException) when (!cancellationToken.IsCancellationRequested)
        {
            _next++;
            await Machines.Wait.ForAsync(Pause, cancellationToken);
            return ([], offset);
        }
    }

    /// <summary>The code of an answer that is final.</summary>
    public async Task<Code> AckAsync(string group, Message message, CancellationToken cancellationToken)
    {
        var request = new AckMessageRequest
        {
            Group = new Resource { Name = group },
            Topic = message.Topic,
            Entries =
            {
                new AckMessageEntry
                {
                    MessageId = message.SystemProperties.MessageId,
                    ReceiptHandle = message.SystemProperties.ReceiptHandle,
                },
            },
        };
        var answer = await CallAsync(
            async (node, options) => await node.Messaging.AckMessageAsync(request, options),
            response => response.Status,
            cancellationToken);
        return answer.Status.Code;
    }

    /// <summary>Has a message come again after a while; the code of an answer that is final.</summary>
    public async Task<Code> GiveBackAsync(string group, Message message, TimeSpan wait, CancellationToken cancellationToken)
    {
        var request = new ChangeInvisibleDurationRequest
        {
            Group = new Resource { Name = group },
            Topic = message.Topic,
            ReceiptHandle = message.SystemProperties.ReceiptHandle,
            InvisibleDuration = Duration.FromTimeSpan(wait),
            MessageId = message.SystemProperties.MessageId,
        };
        var answer = await CallAsync(
            async (node, options) => await node.Messaging.ChangeInvisibleDurationAsync(request, options),
            response => response.Status,
            cancellationToken);
        return answer.Status.Code;
    }

    /// <summary>Asks until an answer is final.</summary>
    public async Task<TResponse> CallAsync<TResponse>(
        Func<NodeClient, CallOptions, Task<TResponse>> call,
        Func<TResponse, Status> statusOf,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            var node = _nodes[(_next & int.MaxValue) % _nodes.Length];
            try
            {
                var answer = await call(node, node.Options(AttemptTimeMax, cancellationToken));
                if (!IsTransient(statusOf(answer).Code))
                {
                    return answer;
                }
            }
            catch (RpcException) when (!cancellationToken.IsCancellationRequested)
            {
                // Nobody knows what became of it; the next node does, or does it again.
            }

            _next++;
            await Machines.Wait.ForAsync(Pause, cancellationToken);
        }
    }

    /// <summary>Asks an operator's question until an answer is final.</summary>
    /// <exception cref="ChaosException">It is a refusal.</exception>
    public async Task<TResponse> AdministerAsync<TResponse>(
        Func<NodeClient, CallOptions, AsyncUnaryCall<TResponse>> call,
        Func<TResponse, AdminStatus> statusOf,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            var node = _nodes[(_next & int.MaxValue) % _nodes.Length];
            try
            {
                var answer = await call(node, node.Options(AttemptTimeMax, cancellationToken));
                var status = statusOf(answer);
                switch (status.Code)
                {
                    case AdminCode.AdminOk:
                        return answer;
                    case AdminCode.AdminUnavailable or AdminCode.AdminBusy or AdminCode.AdminOutcomeUnknown:
                        break;
                    default:
                        throw new ChaosException($"{status.Code}: {status.Message}");
                }
            }
            catch (RpcException) when (!cancellationToken.IsCancellationRequested)
            {
                // The next node may answer.
            }

            _next++;
            await Machines.Wait.ForAsync(Pause, cancellationToken);
        }
    }

    public void Dispose() => Array.ForEach(_nodes, node => node.Dispose());

    private static bool IsTransient(Code code) => code is Code.HaNotAvailable or Code.SlavePersistenceTimeout
        or Code.TooManyRequests or Code.InternalServerError or Code.ProxyTimeout or Code.MasterPersistenceTimeout;

    private static Message NewMessage(string topic, string id, Action<Message> complete)
    {
        var message = new Message
        {
            Topic = new Resource { Name = topic },
            Body = ByteString.CopyFromUtf8(id),
            SystemProperties = new SystemProperties
            {
                MessageId = id,
                MessageType = MessageType.Normal,
                BornTimestamp = Timestamp.FromDateTime(DateTime.UtcNow),
                BodyEncoding = Apache.Rocketmq.V2.Encoding.Identity,
            },
        };
        complete(message);
        return message;
    }
}
