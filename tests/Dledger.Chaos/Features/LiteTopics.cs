using System.Collections.Concurrent;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>
/// A client is given messages of the lite topics in its set and of no others, once a change of the set was answered; each message reaches
/// a client that asks for it.
/// </summary>
internal sealed class LiteTopics : IFeature
{
    private const int MessageCount = 80;

    // One of them moves to and fro between the two clients; nobody asks for the last.
    private const string Moving = "moving";
    private const string Unwanted = "unwanted";

    private static readonly string[] Names = ["left", "right", Moving, Unwanted];
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(15);

    public string Name => "lite";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, AcceptMessageTypes = { MessageType.Lite } },
            new Group { Name = round.Group },
            cancellationToken);
        using var left = new LiteClient(round, "left");
        using var right = new LiteClient(round, "right");
        await left.ChangeAsync(LiteSubscriptionAction.CompleteAdd, ["left", Moving], cancellationToken);
        await right.ChangeAsync(LiteSubscriptionAction.CompleteAdd, ["right"], cancellationToken);
        var acked = new ConcurrentDictionary<string, byte>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] receiving = [left.ReceiveAsync(acked, stop.Token), right.ReceiveAsync(acked, stop.Token)];
        var wanted = new List<string>();
        var (has, gets) = (left, right);
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            var name = Names[number % Names.Length];
            await round.Client.SendAsync(
                round.Topic,
                $"{name}:{number}",
                message =>
                {
                    message.SystemProperties.MessageType = MessageType.Lite;
                    message.SystemProperties.LiteTopic = name;
                },
                cancellationToken);
            if (name != Unwanted)
            {
                wanted.Add($"{name}:{number}");
            }

            if (number % 10 == 5)
            {
                await has.ChangeAsync(LiteSubscriptionAction.PartialRemove, [Moving], cancellationToken);
                await gets.ChangeAsync(LiteSubscriptionAction.PartialAdd, [Moving], cancellationToken);
                (has, gets) = (gets, has);
            }
        }

        // A client that had told nobody but the leader that died tells its set again, as client libraries do twice a minute.
        await left.RepeatAsync(cancellationToken);
        await right.RepeatAsync(cancellationToken);
        while (!wanted.All(acked.ContainsKey))
        {
            await Wait.ForAsync(Pace, cancellationToken);
        }

        await stop.CancelAsync();
        await Task.WhenAll(receiving);
    }

    private sealed class LiteClient(FeatureRound round, string name) : IDisposable
    {
        private readonly PatientClient _client = round.Client.As($"{round.Group}-{name}");
        private readonly Lock _lock = new();
        private readonly HashSet<string> _set = [];

        // Those that were in the set at any moment since the receive that is under way began.
        private readonly HashSet<string> _allowed = [];

        public async Task ChangeAsync(LiteSubscriptionAction action, string[] names, CancellationToken cancellationToken)
        {
            if (action != LiteSubscriptionAction.PartialRemove)
            {
                lock (_lock)
                {
                    _set.UnionWith(names);
                    _allowed.UnionWith(names);
                }
            }

            await SyncAsync(action, names, cancellationToken);
            if (action == LiteSubscriptionAction.PartialRemove)
            {
                lock (_lock)
                {
                    _set.ExceptWith(names);
                }
            }
        }

        public Task RepeatAsync(CancellationToken cancellationToken)
        {
            lock (_lock)
            {
                return SyncAsync(LiteSubscriptionAction.CompleteAdd, [.. _set], cancellationToken);
            }
        }

        public async Task ReceiveAsync(ConcurrentDictionary<string, byte> acked, CancellationToken cancellationToken)
        {
            try
            {
                while (!cancellationToken.IsCancellationRequested)
                {
                    lock (_lock)
                    {
                        _allowed.Clear();
                        _allowed.UnionWith(_set);
                    }

                    var batch = await _client.ReceiveAsync(round.Receive(invisibleSeconds: 3, waitSeconds: 0.5), cancellationToken);
                    Check(batch);
                    foreach (var message in batch)
                    {
                        if (await _client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
                        {
                            acked.TryAdd(message.SystemProperties.MessageId, 0);
                        }
                    }
                }
            }
            catch (Exception exception) when (exception is Grpc.Core.RpcException or OperationCanceledException
                && cancellationToken.IsCancellationRequested)
            {
                // The round is over.
            }
        }

        public void Dispose() => _client.Dispose();

        private async Task SyncAsync(LiteSubscriptionAction action, string[] names, CancellationToken cancellationToken)
        {
            var request = new SyncLiteSubscriptionRequest
            {
                Action = action,
                Topic = new Resource { Name = round.Topic },
                Group = new Resource { Name = round.Group },
                LiteTopicSet = { names },
            };
            var answer = await _client.CallAsync(
                async (node, options) => await node.Messaging.SyncLiteSubscriptionAsync(request, options),
                response => response.Status,
                cancellationToken);
            round.Check(answer.Status.Code == Code.Ok, $"{name} could not change its set: {answer.Status.Code} {answer.Status.Message}");
        }

        private void Check(IReadOnlyList<Message> batch)
        {
            lock (_lock)
            {
                foreach (var system in batch.Select(message => message.SystemProperties))
                {
                    round.Check(
                        _allowed.Contains(system.LiteTopic),
                        $"{name} was given {system.MessageId} while it asked for {string.Join(", ", _allowed)}");
                    round.Check(
                        system.MessageId.StartsWith(system.LiteTopic + ':', StringComparison.Ordinal),
                        $"{system.MessageId} came as one of {system.LiteTopic}");
                }
            }
        }
    }
}
