using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>A group with an SQL filter gets all messages that match, and no other.</summary>
internal sealed class SqlFilters : IFeature
{
    private const int MessageCount = 60;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    public string Name => "sql-filter";

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

        return count;
    }

    private static bool Matches(int number) => number > 20 && number % 2 == 0;

    private static async Task ReceiveAsync(FeatureRound round, Task<int> sending, CancellationToken cancellationToken)
    {
        var request = round.Receive(invisibleSeconds: 5);
        request.FilterExpression = new FilterExpression { Type = FilterType.Sql, Expression = "amount > 20 AND region = 'north'" };
        var seen = new HashSet<int>();
        while (!sending.IsCompleted || (await sending is var sent && seen.Count < Enumerable.Range(0, sent).Count(Matches)))
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
