using System.Collections.Concurrent;
using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>
/// A lite topic that an operator deletes goes with its messages: none is delivered after the answer. The name may be used again, and what is
/// sent to it then is delivered.
/// </summary>
internal sealed class DeletedLiteTopics : IFeature
{
    private const int LifeCount = 12;
    private const int MessagesPerLife = 4;
    private const string LiteName = "phoenix";

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(300);

    public string Name => "lite-delete";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, AcceptMessageTypes = { MessageType.Lite } },
            new Group { Name = round.Group },
            cancellationToken);
        var ended = new ConcurrentDictionary<int, byte>();
        await foreach (var life in round.NumbersAsync(LifeCount, Pace, cancellationToken))
        {
            for (var number = 0; number < MessagesPerLife; number++)
            {
                await SendAsync(round, $"{life}:{number}", cancellationToken);
            }

            await SubscribeAsync(round, cancellationToken);
            if (life % 2 == 0)
            {
                await DeleteAsync(round, cancellationToken);
                ended.TryAdd(life, 0);
            }
            else
            {
                await ConsumeAsync(round, life, ended, cancellationToken);
            }
        }
    }

    private static Task SendAsync(FeatureRound round, string id, CancellationToken cancellationToken) => round.Client.SendAsync(
        round.Topic,
        id,
        static message =>
        {
            message.SystemProperties.MessageType = MessageType.Lite;
            message.SystemProperties.LiteTopic = LiteName;
        },
        cancellationToken);

    // A deletion takes the name out of the set of each client.
    private static Task SubscribeAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var request = new SyncLiteSubscriptionRequest
        {
            Action = LiteSubscriptionAction.CompleteAdd,
            Topic = new Resource { Name = round.Topic },
            Group = new Resource { Name = round.Group },
            LiteTopicSet = { LiteName },
        };
        return round.Client.CallAsync(
            async (node, options) => await node.Messaging.SyncLiteSubscriptionAsync(request, options),
            response => response.Status,
            cancellationToken);
    }

    // A repeat after a lost answer may find nothing: then it is gone, too.
    private static async Task DeleteAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var answer = await round.Client.AdministerAsync(
            (node, options) => node.Lites.DeleteLiteTopicAsync(
                new DeleteLiteTopicRequest { Topic = round.Topic, LiteTopic = LiteName }, options),
            response => response.Status.Code == AdminCode.AdminNotFound ? new AdminStatus { Code = AdminCode.AdminOk } : response.Status,
            cancellationToken);
        var list = await round.Client.AdministerAsync(
            (node, options) => node.Lites.ListLiteTopicsAsync(new ListLiteTopicsRequest { Topic = round.Topic }, options),
            response => response.Status,
            cancellationToken);
        round.Check(list.LiteTopics.Count == 0, $"{LiteName} is listed after its deletion was answered with {answer.Status.Code}");
    }

    // Until all of this life came; what came of an earlier one is a finding.
    private static async Task ConsumeAsync(
        FeatureRound round, int life, ConcurrentDictionary<int, byte> ended, CancellationToken cancellationToken)
    {
        var acked = new HashSet<string>();
        while (acked.Count < MessagesPerLife)
        {
            var batch = await round.Client.ReceiveAsync(
                round.Receive(batch: 2, invisibleSeconds: 2, waitSeconds: PollTime.TotalSeconds), cancellationToken);
            foreach (var message in batch)
            {
                var id = message.SystemProperties.MessageId;
                var from = int.Parse(id.Split(':')[0], null);
                round.Check(!ended.ContainsKey(from), $"{id} came in life {life}, after its lite topic had been deleted");
                if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Code.Ok && from == life)
                {
                    acked.Add(id);
                }
            }

            // Who heard of the set may be the node that died.
            if (batch.Count == 0)
            {
                await SubscribeAsync(round, cancellationToken);
            }
        }
    }
}
