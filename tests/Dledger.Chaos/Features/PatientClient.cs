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
    private static readonly TimeSpan AttemptTimeMax = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly NodeClient[] _nodes;
    private int _next;

    public PatientClient(IReadOnlyList<ChaosNode> nodes, string clientId) =>
        _nodes = [.. nodes.Select(node => new NodeClient(node.Place, clientId))];

    /// <summary>One for each node.</summary>
    public IReadOnlyList<NodeClient> Nodes => _nodes;

    /// <summary>Creates a topic and a group for it.</summary>
    public async Task CreateAsync(Topic topic, Group group, CancellationToken cancellationToken)
    {
        await AdminAsync(
            (node, options) => node.Admin.CreateTopicAsync(new CreateTopicRequest { Topic = topic }, options),
            answer => answer.Status,
            cancellationToken);
        await AdminAsync(
            (node, options) => node.Admin.CreateGroupAsync(new CreateGroupRequest { Group = group }, options),
            answer => answer.Status,
            cancellationToken);
    }

    /// <summary>Stores a message at least once; what the last answer says of it.</summary>
    /// <exception cref="ChaosException">It is refused.</exception>
    public async Task<SendResultEntry> SendAsync(
        string topic, string id, Action<Message> complete, CancellationToken cancellationToken)
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
        var request = new SendMessageRequest { Messages = { message } };
        var answer = await CallAsync(
            async (node, options) => await node.Messaging.SendMessageAsync(request, options),
            response => response.Status,
            cancellationToken);
        return answer.Status.Code == Code.Ok
            ? answer.Entries[0]
            : throw new ChaosException($"sending {id} to {topic}: {answer.Status.Code} {answer.Status.Message}");
    }

    /// <summary>What a receive brings; nothing when it ends badly.</summary>
    public async Task<IReadOnlyList<Message>> ReceiveAsync(
        ReceiveMessageRequest request, CancellationToken cancellationToken)
    {
        var messages = new List<Message>();
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
                else if (frame.ContentCase == ReceiveMessageResponse.ContentOneofCase.Status
                    && frame.Status.Code is not (Code.Ok or Code.MessageNotFound) && !IsTransient(frame.Status.Code))
                {
                    throw new ChaosException($"a receive by {request.Group.Name}: {frame.Status.Code} {frame.Status.Message}");
                }
            }
        }
        catch (RpcException) when (!cancellationToken.IsCancellationRequested)
        {
            _next++;
            await Machines.Wait.ForAsync(Pause, cancellationToken);
        }

        return messages;
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

    public void Dispose() => Array.ForEach(_nodes, node => node.Dispose());

    private static bool IsTransient(Code code) => code is Code.HaNotAvailable or Code.SlavePersistenceTimeout
        or Code.TooManyRequests or Code.InternalServerError or Code.ProxyTimeout or Code.MasterPersistenceTimeout;

    private async Task AdminAsync<TResponse>(
        Func<NodeClient, CallOptions, AsyncUnaryCall<TResponse>> call,
        Func<TResponse, AdminStatus> statusOf,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            var node = _nodes[(_next & int.MaxValue) % _nodes.Length];
            try
            {
                var status = statusOf(await call(node, node.Options(AttemptTimeMax, cancellationToken)));
                switch (status.Code)
                {
                    case AdminCode.AdminOk:
                        return;
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
}
