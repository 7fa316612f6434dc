using System.Collections.Concurrent;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Chaos.Features;

/// <summary>
/// What waits for its delivery time is moved or taken back by its key: what was moved is delivered once, not before its new time, and what
/// was taken back never is, whoever leads.
/// </summary>
internal sealed class PendingMessages : IFeature
{
    private const int KeyCount = 16;
    private const int MessagesPerKey = 3;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan FarAway = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(1200);

    // The nodes and this program share a clock; what is due within one of the broker's ticks of 10 ms is due.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    public string Name => "timer";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic
            {
                Name = round.Topic,
                QueueCount = 2,
                AcceptMessageTypes = { MessageType.Delay },
                IdWindowTime = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)),
            },
            new Group { Name = round.Group },
            cancellationToken);
        var dueAt = new ConcurrentDictionary<string, DateTime>();
        var acked = new ConcurrentDictionary<string, byte>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var receiving = ReceiveAsync(round, dueAt, acked, stop.Token);
        var moved = new List<string>();
        await foreach (var number in round.NumbersAsync(KeyCount, Pace, cancellationToken))
        {
            var key = $"key-{number}";
            await SendAsync(round, key, cancellationToken);
            if (number % 2 == 0)
            {
                await CancelAsync(round, key, cancellationToken);
                continue;
            }

            var at = DateTime.UtcNow + Soon;
            dueAt[key] = at;
            moved.Add(key);
            await MoveAsync(round, key, at, cancellationToken);
        }

        var expected = moved.SelectMany(key => Enumerable.Range(0, MessagesPerKey).Select(part => $"{key}:{part}")).ToList();
        while (!expected.All(acked.ContainsKey))
        {
            await Wait.ForAsync(Pace, cancellationToken);
        }

        await stop.CancelAsync();
        await receiving;
        var stored = (await round.Operator.ReadAllAsync(round.Topic, cancellationToken))
            .CountBy(message => message.SystemProperties.MessageId).ToDictionary();
        foreach (var id in expected)
        {
            round.Check(stored.Remove(id, out var times) && times == 1, $"{id} joined its queue {times} times");
        }

        round.Check(stored.Count == 0, $"{string.Join(", ", stored.Keys)} had been taken back");
        var left = await EachPageAsync(
            round,
            "nobody's",
            static (node, request, options) => node.Timers.ListTimersAsync(request, options),
            cancellationToken);
        round.Check(left.PendingCount == 0, $"{left.PendingCount} messages still wait");
    }

    private static async Task SendAsync(FeatureRound round, string key, CancellationToken cancellationToken)
    {
        for (var part = 0; part < MessagesPerKey; part++)
        {
            await round.Client.SendAsync(
                round.Topic,
                $"{key}:{part}",
                message =>
                {
                    message.SystemProperties.MessageType = MessageType.Delay;
                    message.SystemProperties.Keys.Add(key);
                    message.SystemProperties.DeliveryTimestamp = Timestamp.FromDateTime(DateTime.UtcNow + FarAway);
                },
                cancellationToken);
        }
    }

    private static Task CancelAsync(FeatureRound round, string key, CancellationToken cancellationToken) => EachPageAsync(
        round,
        key,
        static (node, request, options) => node.Timers.CancelTimersAsync(
            new CancelTimersRequest { Selection = request.Selection, Page = request.Page }, options),
        cancellationToken);

    private static Task MoveAsync(FeatureRound round, string key, DateTime at, CancellationToken cancellationToken) => EachPageAsync(
        round,
        key,
        (node, request, options) => node.Timers.MoveTimersAsync(
            new MoveTimersRequest { Selection = request.Selection, Page = request.Page, DeliverAt = Timestamp.FromDateTime(at) }, options),
        cancellationToken);

    /// <summary>Asks about a key page by page; the last answer.</summary>
    private static async Task<TimersResponse> EachPageAsync(
        FeatureRound round,
        string key,
        Func<Workers.NodeClient, ListTimersRequest, Grpc.Core.CallOptions, Grpc.Core.AsyncUnaryCall<TimersResponse>> call,
        CancellationToken cancellationToken)
    {
        var request = new ListTimersRequest { Selection = new TimerSelection { Topic = round.Topic, MessageKey = key } };
        while (true)
        {
            var answer = await round.Client.AdministerAsync(
                (node, options) => call(node, request, options), response => response.Status, cancellationToken);
            if (answer.NextPage.Length == 0)
            {
                return answer;
            }

            request.Page = answer.NextPage;
        }
    }

    private static async Task ReceiveAsync(
        FeatureRound round,
        ConcurrentDictionary<string, DateTime> dueAt,
        ConcurrentDictionary<string, byte> acked,
        CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                var batch = await round.Client.ReceiveAsync(round.Receive(invisibleSeconds: 3, waitSeconds: 0.5), cancellationToken);
                var now = DateTime.UtcNow;
                foreach (var message in batch)
                {
                    var system = message.SystemProperties;
                    round.Check(dueAt.TryGetValue(system.Keys[0], out var at), $"{system.MessageId} came and was not moved");
                    round.Check(now + Tick >= at, $"{system.MessageId} came {(at - now).TotalMilliseconds:F0} ms early");
                    if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
                    {
                        acked.TryAdd(system.MessageId, 0);
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
}
