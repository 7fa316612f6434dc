using System.Collections.Concurrent;
using System.Diagnostics;
using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Chaos.Features;

/// <summary>
/// Messages older than their <c>DLEDGER_TTL_MS</c> are not delivered, whoever leads; in this group they become dead letters, once. All others
/// are delivered.
/// </summary>
internal sealed class TimesToLive : IFeature
{
    private const int MessageCount = 90;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(12);
    private static readonly TimeSpan WorkTime = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan Life = TimeSpan.FromMilliseconds(600);

    // Log time may lag behind this program's clock by so much.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(100);

    public string Name => "ttl";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2, IdWindowTime = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)) },
            new Group { Name = round.Group, Expiry = ExpiryMode.ExpiryDeadLetter },
            cancellationToken);
        var watch = Stopwatch.StartNew();
        var storedBy = new ConcurrentDictionary<string, TimeSpan>();
        var acked = new ConcurrentDictionary<string, byte>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var consuming = ConsumeAsync(round, watch, storedBy, acked, stop.Token, cancellationToken);
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            await round.Client.SendAsync(
                round.Topic,
                $"{number}",
                message =>
                {
                    if (IsMortal($"{number}"))
                    {
                        message.UserProperties["DLEDGER_TTL_MS"] = $"{Life.TotalMilliseconds}";
                    }
                },
                cancellationToken);
            storedBy[$"{number}"] = watch.Elapsed;
        }

        while (await round.Operator.LagAsync(round.Group, cancellationToken) > 0)
        {
            await Wait.ForAsync(Pace, cancellationToken);
        }

        await stop.CancelAsync();
        await consuming;
        await CheckAsync(round, storedBy.Keys, acked, cancellationToken);
    }

    private static bool IsMortal(string id) => int.Parse(id, null) % 2 == 0;

    // One consumer, slower than the sender, so that messages grow old.
    private static async Task ConsumeAsync(
        FeatureRound round,
        Stopwatch watch,
        ConcurrentDictionary<string, TimeSpan> storedBy,
        ConcurrentDictionary<string, byte> acked,
        CancellationToken stop,
        CancellationToken cancellationToken)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var begun = watch.Elapsed;
                foreach (var message in await round.Client.ReceiveAsync(
                    round.Receive(batch: 2, invisibleSeconds: 3, waitSeconds: 0.3), stop))
                {
                    var id = message.SystemProperties.MessageId;
                    var age = storedBy.TryGetValue(id, out var stored) ? begun - stored : TimeSpan.Zero;
                    round.Check(!IsMortal(id) || age <= Life + Slack, $"{id} was delivered at an age of {age.TotalMilliseconds:F0} ms");
                    // To its end: what an answer was not waited for may have been acknowledged.
                    if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
                    {
                        acked.TryAdd(id, 0);
                    }
                }

                await Wait.ForAsync(WorkTime, stop);
            }
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or OperationCanceledException
            && stop.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // The round is over.
        }
    }

    private static async Task CheckAsync(
        FeatureRound round, ICollection<string> sent, ConcurrentDictionary<string, byte> acked, CancellationToken cancellationToken)
    {
        var letters = (await round.Operator.ReadLettersAsync(round.Group, cancellationToken))
            .CountBy(letter => letter.Message.MessageId).ToDictionary();
        foreach (var id in sent)
        {
            var times = letters.GetValueOrDefault(id);
            round.Check(
                times == (acked.ContainsKey(id) ? 0 : 1),
                $"{id} is a dead letter {times} times, and was {(acked.ContainsKey(id) ? string.Empty : "not ")}acknowledged");
            round.Check(times == 0 || IsMortal(id), $"{id} has no time to live and is a dead letter");
        }

        round.Check(letters.Count > 0, "nothing grew too old");
    }
}
