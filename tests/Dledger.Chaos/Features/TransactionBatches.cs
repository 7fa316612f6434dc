using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf;

namespace Dledger.Chaos.Features;

/// <summary>
/// Transactions of several messages: each message is visible once, only by the commit, however often it is asked for, and together with
/// all messages of its transaction;
/// after a rollback never. A decision that was acknowledged holds.
/// </summary>
internal sealed class TransactionBatches : IFeature
{
    private const int TransactionCount = 24;
    private const int MessagesEach = 4;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);

    public string Name => "transaction-batch";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2, AcceptMessageTypes = { MessageType.Transaction } },
            new Group { Name = round.Group },
            cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var looking = LookAsync(round, stop.Token);
        var committed = new List<int>();
        await foreach (var number in round.NumbersAsync(TransactionCount, Pace, cancellationToken))
        {
            var transactionId = await SendAsync(round, number, cancellationToken);
            var resolution = number % 3 == 1 ? TransactionResolution.Rollback : TransactionResolution.Commit;
            await EndAsync(round, number, transactionId, resolution, cancellationToken);
            if (resolution == TransactionResolution.Commit)
            {
                committed.Add(number);
            }

            if (number % 4 == 2)
            {
                await EndAsync(round, number, transactionId, resolution, cancellationToken);
            }

            // The opposite of what was decided is refused, and changes nothing.
            if (number % 4 == 3)
            {
                await ContradictAsync(round, number, transactionId, resolution, cancellationToken);
            }
        }

        await stop.CancelAsync();
        await looking;
        var stored = await round.Operator.ReadAllAsync(round.Topic, cancellationToken);
        CheckWhole(round, stored);
        var visible = stored.Select(message => NumberOf(message)).ToHashSet();
        foreach (var number in committed)
        {
            round.Check(visible.Remove(number), $"transaction {number} was committed and is not visible");
        }

        round.Check(visible.Count == 0, $"transactions {string.Join(", ", visible)} were taken back and are visible");
    }

    private static int NumberOf(Message message) => int.Parse(message.SystemProperties.MessageId.Split(':')[0], null);

    // All that is visible at one moment is whole transactions.
    private static async Task LookAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                CheckWhole(round, await round.Operator.ReadAllAsync(round.Topic, cancellationToken));
                await Wait.ForAsync(LookEvery, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or OperationCanceledException
            && cancellationToken.IsCancellationRequested)
        {
            // The round is over.
        }
    }

    private static void CheckWhole(FeatureRound round, IReadOnlyList<Message> stored)
    {
        foreach (var transaction in stored.GroupBy(NumberOf))
        {
            var parts = string.Join(' ', transaction.Select(message => message.SystemProperties.MessageId.Split(':')[1]).Order());
            round.Check(
                parts == string.Join(' ', Enumerable.Range(0, MessagesEach)), $"of transaction {transaction.Key} are visible: {parts}");
        }
    }

    // One that got no answer is undecided, and nobody asks for it in this round.
    private static async Task<string> SendAsync(FeatureRound round, int number, CancellationToken cancellationToken)
    {
        var request = new SendMessageRequest();
        for (var part = 0; part < MessagesEach; part++)
        {
            request.Messages.Add(new Message
            {
                Topic = new Resource { Name = round.Topic },
                Body = ByteString.CopyFromUtf8($"{number}:{part}"),
                SystemProperties = new SystemProperties
                {
                    MessageId = $"{number}:{part}",
                    MessageType = MessageType.Transaction,
                    BodyEncoding = Encoding.Identity,
                },
            });
        }

        var answer = await round.Client.CallAsync(
            async (node, options) => await node.Messaging.SendMessageAsync(request, options),
            response => response.Status,
            cancellationToken);
        return answer.Status.Code == Code.Ok
            ? answer.Entries[0].TransactionId
            : throw new ChaosException($"sending transaction {number}: {answer.Status.Code} {answer.Status.Message}");
    }

    private static async Task EndAsync(
        FeatureRound round, int number, string transactionId, TransactionResolution resolution, CancellationToken cancellationToken)
    {
        var code = await AskAsync(round, number, transactionId, resolution, cancellationToken);
        round.Check(code == Code.Ok, $"ending transaction {number} with {resolution}: {code}");
    }

    private static async Task ContradictAsync(
        FeatureRound round, int number, string transactionId, TransactionResolution resolution, CancellationToken cancellationToken)
    {
        var opposite = resolution == TransactionResolution.Commit ? TransactionResolution.Rollback : TransactionResolution.Commit;
        var code = await AskAsync(round, number, transactionId, opposite, cancellationToken);
        round.Check(
            code == Code.InvalidTransactionId, $"transaction {number} ended with {resolution}, then {opposite} was answered {code}");
    }

    private static async Task<Code> AskAsync(
        FeatureRound round, int number, string transactionId, TransactionResolution resolution, CancellationToken cancellationToken)
    {
        var request = new EndTransactionRequest
        {
            Topic = new Resource { Name = round.Topic },
            MessageId = $"{number}:0",
            TransactionId = transactionId,
            Resolution = resolution,
            Source = TransactionSource.SourceClient,
        };
        var answer = await round.Client.CallAsync(
            async (node, options) => await node.Messaging.EndTransactionAsync(request, options),
            response => response.Status,
            cancellationToken);
        return answer.Status.Code;
    }
}
