using System.Collections.Concurrent;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>
/// At-most-once groups: a message is finished when it is handed out, and never comes twice; when the answer is lost, so is the message, and
/// only then.
/// </summary>
internal sealed class AtMostOnceGroups : IFeature
{
    private const int MessageCount = 60;
    private const int ConsumerCount = 3;
    private const int BatchMax = 4;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(15);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public string Name => "at-most-once";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2 },
            new Group { Name = round.Group, AckMode = AckMode.AckAtMostOnce },
            cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var seen = new ConcurrentDictionary<MessagePlace, byte>();
        var consumers = Enumerable.Range(0, ConsumerCount).Select(_ => ConsumeAsync(round, seen, stop.Token)).ToArray();
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            await round.Client.SendAsync(round.Topic, $"{number}", static _ => { }, cancellationToken);
        }

        // The leases of this round end after a second: whoever were to come again would have come.
        round.Check(
            await Wait.UntilAsync(
                Patience, async () => await round.Operator.LagAsync(round.Group, cancellationToken) == 0, cancellationToken),
            "the group did not finish all messages");
        await Wait.ForAsync(TimeSpan.FromSeconds(1.5), cancellationToken);
        await stop.CancelAsync();
        var lost = (await Task.WhenAll(consumers)).Sum();
        var stored = (await round.Operator.ReadAllAsync(round.Topic, cancellationToken)).Select(MessagePlace.Of).ToList();
        var missing = stored.Where(place => !seen.ContainsKey(place)).ToList();
        round.Check(
            missing.Count <= lost * BatchMax,
            $"{missing.Count} messages were never delivered, and {lost} receives of at most {BatchMax} were lost");
    }

    /// <summary>How many receives may have taken messages that they did not bring.</summary>
    private static async Task<int> ConsumeAsync(
        FeatureRound round, ConcurrentDictionary<MessagePlace, byte> seen, CancellationToken cancellationToken)
    {
        var lost = 0;
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                var (batch, isWhole) = await round.TryReceiveAsync(
                    round.Client, round.Receive(batch: BatchMax, invisibleSeconds: 1, waitSeconds: 0.3), cancellationToken);
                lost += isWhole ? 0 : 1;
                foreach (var place in batch.Select(MessagePlace.Of))
                {
                    round.Check(seen.TryAdd(place, 0), $"{place} was delivered twice");
                }
            }
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or OperationCanceledException
            && cancellationToken.IsCancellationRequested)
        {
            // The round is over.
        }

        return lost;
    }
}
