using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>An ordered group with several message groups and two consumers: no message is handed out before those of its group
/// that lie before it are acknowledged, except in one batch with them.</summary>
internal sealed class OrderedGroups : IFeature
{
    private const int GroupCount = 4;
    private const int MessageCount = 12;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    public string Name => "fifo";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2, AcceptMessageTypes = { MessageType.Fifo } },
            new Group { Name = round.Group, Fifo = true },
            cancellationToken);
        var progress = new MessageGroupOrder(round, GroupCount);
        var consumers = Enumerable.Range(0, 2).Select(_ => ConsumeAsync(round, progress, cancellationToken)).ToArray();
        await progress.SendAsync(MessageCount, Pace, cancellationToken);
        await Task.WhenAll(consumers);
    }

    private static async Task ConsumeAsync(FeatureRound round, MessageGroupOrder progress, CancellationToken cancellationToken)
    {
        while (!progress.IsDone)
        {
            var batch = await round.Client.ReceiveAsync(round.Receive(batch: 3, invisibleSeconds: 5), cancellationToken);
            progress.Delivered(batch);
            foreach (var message in batch)
            {
                progress.AckInvoked(message);
                if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
                {
                    progress.Acked(message);
                }
            }
        }
    }
}
