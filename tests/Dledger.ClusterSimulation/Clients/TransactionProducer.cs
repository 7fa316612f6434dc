using System.Text;
using Dledger.Broker;
using Dledger.Broker.Messages;
using Dledger.Broker.Transactions;
using Dledger.ClusterSimulation.Nodes;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>
/// Begins transactions and ends most of them; of the others it says what shall become of them when it is asked, or keeps saying that
/// it does not know. What it decides about one it never changes.
/// </summary>
internal sealed class TransactionProducer(SimulatedCluster cluster, string topic)
{
    private const int TriesMax = 5;

    public async Task RunAsync()
    {
        while (!cluster.IsHealed)
        {
            await cluster.Calls.DelayAsync(cluster.TransactionRandom.NextInterval(4 * cluster.Scenario.ProduceInterval));
            await TransactAsync();
        }
    }

    /// <summary>A leader asks. Questions get lost, and so do answers.</summary>
    public async Task AnswerAsync(SimulatedNode asking, TransactionQuestion question)
    {
        if (!cluster.IsHealed && cluster.TransactionRandom.Chance(0.3))
        {
            return;
        }

        var (isAnswered, undecided) = await cluster.Calls.CallAsync(
            asking, broker => broker.ReadUndecidedAsync(question, CancellationToken.None), cluster.Scenario.CallPatience);
        if (isAnswered && undecided is not null)
        {
            var name = Oracles.TransactionHistory.NameOf(undecided.Message.MessageId);
            await EndAsync([(name, undecided.TransactionId)], cluster.Transactions.PlanOf(name));
        }
    }

    private async Task TransactAsync()
    {
        var random = cluster.TransactionRandom;
        TransactionResolution[] plans =
        [
            TransactionResolution.Commit, TransactionResolution.Commit, TransactionResolution.Commit,
            TransactionResolution.Rollback, TransactionResolution.Rollback, TransactionResolution.Unknown,
        ];
        var plan = random.Pick(plans);
        var begun = new List<(string Name, string Id)>();
        var wanted = random.Chance(0.3) ? 2 : 1;
        while (wanted-- > 0)
        {
            if (await BeginAsync(plan) is { } one)
            {
                begun.Add(one);
            }
        }

        if (begun.Count == 0 || random.Chance(0.25))
        {
            return;
        }

        await cluster.Calls.DelayAsync(random.NextInterval(cluster.Scenario.ProduceInterval));
        await EndAsync(begun, plan);
    }

    private async Task<(string Name, string Id)?> BeginAsync(TransactionResolution plan)
    {
        var (name, messageIds) = cluster.Transactions.Invoke(1 + cluster.TransactionRandom.Next(3), plan);
        var drafts = messageIds.Select(id => new MessageDraft
        {
            Body = Encoding.ASCII.GetBytes(id),
            MessageId = id,
            Type = MessageType.Transaction,
        }).ToArray();
        var node = cluster.Calls.Choose();
        var (isAnswered, outcome) = await cluster.Calls.CallAsync(
            node, broker => broker.AppendAsync(topic, drafts, CancellationToken.None), cluster.Scenario.CallPatience);
        if (!isAnswered)
        {
            return null;
        }

        cluster.Calls.Learn(node, outcome!.Failure);
        return outcome.Succeeded ? (name, outcome.Messages[0].TransactionId!) : null;
    }

    private async Task EndAsync(IReadOnlyList<(string Name, string Id)> transactions, TransactionResolution resolution)
    {
        string[] ids = [.. transactions.Select(transaction => transaction.Id)];
        for (var tries = 0; tries < TriesMax; tries++)
        {
            var node = cluster.Calls.Choose();
            var (isAnswered, failure) = await cluster.Calls.CallAsync(
                node,
                broker => broker.EndTransactionsAsync(ids, resolution, TransactionDecider.Producer, CancellationToken.None),
                cluster.Scenario.CallPatience);
            if (!isAnswered)
            {
                continue;
            }

            cluster.Calls.Learn(node, failure);
            if (failure?.Error == BrokerError.InvalidTransaction)
            {
                cluster.Transactions.Refused([.. transactions.Select(transaction => transaction.Name)], resolution, failure.Value);
                return;
            }

            if (failure is null)
            {
                foreach (var (name, _) in transactions)
                {
                    // Who does not know leaves it open.
                    if (resolution != TransactionResolution.Unknown)
                    {
                        cluster.Transactions.Ended(name, resolution);
                    }
                }

                // Some do not believe it and say it again.
                if (!cluster.TransactionRandom.Chance(0.2))
                {
                    return;
                }
            }
        }
    }
}
