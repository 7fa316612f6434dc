using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>A group that wants one tag gets all messages with it, and no other.</summary>
internal sealed class TagFilters : IFeature
{
    private const int MessageCount = 40;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    public string Name => "tag-filter";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 4 }, new Group { Name = round.Group }, cancellationToken);
        var sending = SendAsync(round, cancellationToken);
        await ReceiveAsync(round, sending, cancellationToken);
    }

    private static async Task<int> SendAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var count = 0;
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            count = number + 1;
            var tag = number % 4 == 0 ? "wanted" : "other";
            await round.Client.SendAsync(
                round.Topic, $"{number}", message => message.SystemProperties.Tag = tag, cancellationToken);
        }

        return count;
    }

    private static async Task ReceiveAsync(FeatureRound round, Task<int> sending, CancellationToken cancellationToken)
    {
        var request = round.Receive(invisibleSeconds: 5);
        request.FilterExpression.Expression = "wanted";
        var seen = new HashSet<string>();
        while (!sending.IsCompleted || (await sending is var sent && seen.Count < (sent + 3) / 4))
        {
            foreach (var message in await round.Client.ReceiveAsync(request, cancellationToken))
            {
                round.Check(
                    message.SystemProperties.Tag == "wanted",
                    $"message {message.SystemProperties.MessageId} has tag {message.SystemProperties.Tag}");
                if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Apache.Rocketmq.V2.Code.Ok)
                {
                    seen.Add(message.SystemProperties.MessageId);
                }
            }
        }
    }
}
