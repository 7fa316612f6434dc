using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>A group that wants one tag gets all messages with it, and no other.</summary>
internal sealed class TagFilters : IFeature
{
    private const int MessageCount = 40;

    public string Name => "tag-filter";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 4 }, new Group { Name = round.Group }, cancellationToken);
        var receiving = ReceiveAsync(round, cancellationToken);
        for (var number = 0; number < MessageCount; number++)
        {
            var tag = number % 4 == 0 ? "wanted" : "other";
            await round.Client.SendAsync(
                round.Topic, $"{number}", message => message.SystemProperties.Tag = tag, cancellationToken);
        }

        await receiving;
    }

    private static async Task ReceiveAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var request = round.Receive(invisibleSeconds: 5);
        request.FilterExpression.Expression = "wanted";
        var seen = new HashSet<string>();
        while (seen.Count < MessageCount / 4)
        {
            foreach (var message in await round.Client.ReceiveAsync(request, cancellationToken))
            {
                round.Check(message.SystemProperties.Tag == "wanted", $"message {message.SystemProperties.MessageId} has tag {message.SystemProperties.Tag}");
                if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Apache.Rocketmq.V2.Code.Ok)
                {
                    seen.Add(message.SystemProperties.MessageId);
                }
            }
        }
    }
}
