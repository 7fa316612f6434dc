using Apache.Rocketmq.V2;
using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Chaos.Workers;

/// <summary>Sends one message after the other, each with an id of its own, and tries again on the next node.</summary>
/// <remarks>
/// After an unknown outcome it goes on under a new name, so that a name never has two open operations. Now and then it returns to the node
/// that it began with: else all of them come to use the same one, and when that is frozen nobody sees that the others serve.
/// </remarks>
internal sealed class Producer(Workload workload, Pace pace, string name, int home, NodeClient[] clients)
{
    private const int BodyBytesMax = 1024;
    private const int MessagesAway = 8;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(20);

    private readonly Random _random = workload.RandomOf(name);
    private int _node = home % clients.Length;
    private int _names;
    private int _counter;

    public async Task RunAsync()
    {
        var worker = name;
        while (await pace.TakeAsync())
        {
            if (await SendAsync(worker, $"{worker}.{++_counter}") == Certainty.Unknown)
            {
                worker = $"{name}-{++_names}";
                _counter = 0;
            }
        }
    }

    private async Task<Certainty> SendAsync(string worker, string id)
    {
        var entry = new HistoryEntry { Function = "send", Worker = worker, Topic = Workload.Topic, Id = id };
        var request = Encode(id, MessageBody.Encode(id, Workload.Topic, _random.Next(64, BodyBytesMax)));
        workload.Recorder.Record(entry with { Phase = "invoke" });
        _node = _random.Next(MessagesAway) == 0 ? home % clients.Length : _node;
        var end = default(CallEnd);
        var isOpen = false;
        for (var attempt = 1; attempt <= Workload.AttemptCountMax; attempt++)
        {
            var client = clients[_node];
            (end, var offset) = await TryAsync(client, request);
            workload.Recorder.Record(entry with { Function = "try", Phase = end.Phase, Error = end.Error, Node = client.Node });
            if (end.Certainty == Certainty.Done)
            {
                workload.Recorder.Record(entry with { Phase = "ok", Offset = offset, Node = client.Node });
                return Certainty.Done;
            }

            isOpen |= end.Certainty == Certainty.Unknown;
            _node = (_node + 1) % clients.Length;

            // Half of the clients give up when they do not know, the others send the same message again.
            if (end.Certainty == Certainty.Unknown && _random.Next(2) == 0)
            {
                break;
            }

            await Wait.ForAsync(RetryDelay * attempt, CancellationToken.None);
        }

        var certainty = isOpen ? Certainty.Unknown : Certainty.Refused;
        workload.Recorder.Record(entry with { Phase = new CallEnd(certainty, null).Phase, Error = end.Error });
        return certainty;
    }

    private static async Task<(CallEnd End, long Offset)> TryAsync(NodeClient client, SendMessageRequest request)
    {
        try
        {
            var response = await client.Messaging.SendMessageAsync(request, client.Options(Workload.AttemptTimeMax));
            var end = CallEnd.Of(response.Status);
            return end.Certainty == Certainty.Done && response.Entries.Count == 1
                ? (CallEnd.Of(response.Entries[0].Status), response.Entries[0].Offset)
                : (end, 0);
        }
        catch (RpcException exception)
        {
            return (CallEnd.Of(exception), 0);
        }
    }

    private static SendMessageRequest Encode(string id, byte[] body) => new()
    {
        Messages =
        {
            new Message
            {
                Topic = new Resource { Name = Workload.Topic },
                Body = UnsafeByteOperations.UnsafeWrap(body),
                SystemProperties = new SystemProperties
                {
                    MessageId = id,
                    MessageType = MessageType.Normal,
                    BodyEncoding = Encoding.Identity,
                    BornTimestamp = Timestamp.FromDateTime(DateTime.UtcNow),
                },
            },
        },
    };
}
