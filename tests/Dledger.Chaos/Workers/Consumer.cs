using Apache.Rocketmq.V2;
using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Chaos.Workers;

/// <summary>Receives for one group and treats messages as real consumers do: most are acknowledged, some handed back, some
/// forgotten, and some acknowledged when it is too late.</summary>
internal sealed class Consumer(Workload workload, string group, string name, int home, NodeClient[] clients)
{
    private const int BatchMax = 32;

    private static readonly TimeSpan Invisible = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan NackDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LateBy = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ErrorDelay = TimeSpan.FromMilliseconds(50);

    private readonly Fates _fates = new(workload, group, workload.RandomOf($"{group} {home}"));
    private readonly Queue<Popped> _late = new();
    private int _node = home % clients.Length;
    private int _names;

    private string Worker => _names == 0 ? name : $"{name}-{_names}";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var popped = await PopAsync();
            if (popped is null)
            {
                await Wait.ForAsync(ErrorDelay, CancellationToken.None);
                continue;
            }

            var done = new List<Popped>();
            foreach (var message in popped)
            {
                switch (_fates.Of(message.Delivery.Id, message.Delivery.Attempt))
                {
                    case Fate.Ack:
                        done.Add(message);
                        break;
                    case Fate.Nack:
                        await NackAsync(message);
                        break;
                    case Fate.AckLate:
                        _late.Enqueue(message);
                        break;
                }
            }

            var limit = workload.Recorder.Now - (long)(LateBy.TotalSeconds * 1e9);
            while (_late.TryPeek(out var late) && late.Delivery.LeaseEnd < limit)
            {
                done.Add(_late.Dequeue());
            }

            if (done.Count > 0)
            {
                await AckAsync(done);
            }
        }
    }

    private async Task<IReadOnlyList<Popped>?> PopAsync()
    {
        var client = clients[_node];
        var entry = new HistoryEntry
        {
            Function = "pop",
            Worker = Worker,
            Group = group,
            Topic = Workload.Topic,
            Invisible = (long)(Invisible.TotalSeconds * 1e9),
            Node = client.Node,
        };
        workload.Recorder.Record(entry with { Phase = "invoke" });
        var call = await PopCall.RunAsync(
            client, group, Workload.Topic, BatchMax, Invisible, LongPoll, workload.Recorder);
        workload.Recorder.Record(entry with
        {
            Phase = call.End.Phase,
            Error = call.End.Error,
            Messages = [.. call.Messages.Select(message => message.Delivery)],
        });
        return IsOver(call.End) ? call.Messages : null;
    }

    private async Task AckAsync(IReadOnlyList<Popped> messages)
    {
        var client = clients[_node];
        var entry = new HistoryEntry
        {
            Function = "ack",
            Worker = Worker,
            Group = group,
            Topic = Workload.Topic,
            Messages = [.. messages.Select(message => message.Delivery)],
            Node = client.Node,
        };
        var request = new AckMessageRequest
        {
            Group = new Resource { Name = group },
            Topic = new Resource { Name = Workload.Topic },
        };
        request.Entries.AddRange(messages.Select(
            message => new AckMessageEntry { MessageId = message.MessageId, ReceiptHandle = message.Receipt }));
        workload.Recorder.Record(entry with { Phase = "invoke" });
        CallEnd end;
        AckMessageResponse? response = null;
        try
        {
            response = await client.Messaging.AckMessageAsync(request, client.Options(Workload.AttemptTimeMax));
            end = response.Status.Code == Code.MultipleResults ? CallEnd.Done : CallEnd.OfReceipt(response.Status);
        }
        catch (RpcException exception)
        {
            end = CallEnd.Of(exception);
        }

        // One line for each kind of outcome: entries of one answer may differ.
        var ends = response is not null && response.Entries.Count == messages.Count
            ? response.Entries.Select(result => CallEnd.OfReceipt(result.Status)).ToArray()
            : [.. messages.Select(_ => end)];
        foreach (var kind in messages.Zip(ends).GroupBy(pair => pair.Second, pair => pair.First.Delivery))
        {
            workload.Recorder.Record(entry with { Phase = kind.Key.Phase, Error = kind.Key.Error, Messages = [.. kind] });
        }

        IsOver(ends.FirstOrDefault(one => one.Certainty == Certainty.Unknown, end));
    }

    private async Task NackAsync(Popped message)
    {
        var client = clients[_node];
        var entry = new HistoryEntry
        {
            Function = "nack",
            Worker = Worker,
            Group = group,
            Topic = Workload.Topic,
            Messages = [message.Delivery],
            Invisible = (long)(NackDelay.TotalSeconds * 1e9),
            Node = client.Node,
        };
        workload.Recorder.Record(entry with { Phase = "invoke" });
        CallEnd end;
        try
        {
            var response = await client.Messaging.ChangeInvisibleDurationAsync(
                new ChangeInvisibleDurationRequest
                {
                    Group = new Resource { Name = group },
                    Topic = new Resource { Name = Workload.Topic },
                    ReceiptHandle = message.Receipt,
                    InvisibleDuration = Duration.FromTimeSpan(NackDelay),
                    MessageId = message.MessageId,
                },
                client.Options(Workload.AttemptTimeMax));
            end = CallEnd.OfReceipt(response.Status);
        }
        catch (RpcException exception)
        {
            end = CallEnd.Of(exception);
        }

        workload.Recorder.Record(entry with { Phase = end.Phase, Error = end.Error });
        IsOver(end);
    }

    /// <summary>True when the call was done; else the next node is asked next, under a new name after an unknown end.
    /// </summary>
    private bool IsOver(CallEnd end)
    {
        if (end.Certainty == Certainty.Done)
        {
            return true;
        }

        _node = (_node + 1) % clients.Length;
        if (end.Certainty == Certainty.Unknown)
        {
            _names++;
        }

        return false;
    }
}
