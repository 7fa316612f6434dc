using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>A group with an SQL filter gets all messages that match, and no other.</summary>
internal sealed class SqlFilters : IFeature
{
    private const int MessageCount = 60;

    public string Name => "sql-filter";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 4 }, new Group { Name = round.Group }, cancellationToken);
        var receiving = ReceiveAsync(round, cancellationToken);
        for (var number = 0; number < MessageCount; number++)
        {
            await round.Client.SendAsync(
                round.Topic,
                $"{number}",
                message =>
                {
                    message.UserProperties["amount"] = $"{number}";
                    message.UserProperties["region"] = number % 2 == 0 ? "north" : "south";
                },
                cancellationToken);
        }

        await receiving;
    }

    private static bool Matches(int number) => number > 20 && number % 2 == 0;

    private static async Task ReceiveAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var request = round.Receive(invisibleSeconds: 5);
        request.FilterExpression = new FilterExpression { Type = FilterType.Sql, Expression = "amount > 20 AND region = 'north'" };
        var seen = new HashSet<int>();
        while (seen.Count < Enumerable.Range(0, MessageCount).Count(Matches))
        {
            foreach (var message in await round.Client.ReceiveAsync(request, cancellationToken))
            {
                var number = int.Parse(message.SystemProperties.MessageId, null);
                round.Check(Matches(number), $"message {number} does not match");
                if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
                {
                    seen.Add(number);
                }
            }
        }
    }
}
