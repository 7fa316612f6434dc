using System.Collections.Concurrent;
using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Chaos.Features;

/// <summary>
/// Transactions that are committed, taken back, or left to the check-back: what is committed comes, what is taken back never does, and
/// nothing comes twice that was stored once.
/// </summary>
internal sealed class Transactions : IFeature
{
    private const int MessageCount = 24;

    // What a check-back is asked about; also for a twin of a message whose first send got no answer.
    private const int Committed = 0;
    private const int RolledBack = 1;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    public string Name => "transaction";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2, AcceptMessageTypes = { MessageType.Transaction } },
            new Group { Name = round.Group },
            cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var answering = round.Client.Nodes.Select(node => AnswerChecksAsync(round, node, stop.Token)).ToArray();
        var seen = new ConcurrentDictionary<string, byte>();
        var sent = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var receiving = ReceiveAsync(round, seen, sent.Task, cancellationToken);
        var count = 0;
        await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
        {
            count = number + 1;
            var id = $"{number}";
            var entry = await round.Client.SendAsync(
                round.Topic,
                id,
                message =>
                {
                    message.SystemProperties.MessageType = MessageType.Transaction;
                    message.SystemProperties.OrphanedTransactionRecoveryDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(1));
                },
                cancellationToken);

            // The third kind is left to the check-back, which commits it.
            if (number % 3 != 2)
            {
                await EndAsync(round, id, entry.TransactionId, ResolutionOf(id), cancellationToken);
            }
        }

        sent.SetResult(count);
        await receiving;
        await stop.CancelAsync();
        await Task.WhenAll(answering);
        round.Check(
            seen.Keys.All(id => ResolutionOf(id) == TransactionResolution.Commit),
            $"taken back and yet delivered: {string.Join(", ", seen.Keys.Where(id => ResolutionOf(id) != TransactionResolution.Commit))}");
    }

    private static TransactionResolution ResolutionOf(string id) => (int.Parse(id, null) % 3) switch
    {
        Committed => TransactionResolution.Commit,
        RolledBack => TransactionResolution.Rollback,
        _ => TransactionResolution.Commit,
    };

    private static IEnumerable<string> Wanted(int count) => Enumerable.Range(0, count).Select(number => $"{number}")
        .Where(id => ResolutionOf(id) == TransactionResolution.Commit);

    private static async Task EndAsync(
        FeatureRound round, string id, string transactionId, TransactionResolution resolution, CancellationToken cancellationToken)
    {
        var request = new EndTransactionRequest
        {
            Topic = new Resource { Name = round.Topic },
            MessageId = id,
            TransactionId = transactionId,
            Resolution = resolution,
            Source = TransactionSource.SourceClient,
        };
        var answer = await round.Client.CallAsync(
            async (node, options) => await node.Messaging.EndTransactionAsync(request, options),
            response => response.Status,
            cancellationToken);
        round.Check(answer.Status.Code == Code.Ok, $"ending {id} with {resolution}: {answer.Status.Code} {answer.Status.Message}");
    }

    private static async Task ReceiveAsync(
        FeatureRound round, ConcurrentDictionary<string, byte> seen, Task<int> sent, CancellationToken cancellationToken)
    {
        for (var idle = 0; idle < 3 || !sent.IsCompleted || !Wanted(await sent).All(seen.ContainsKey);)
        {
            var batch = await round.Client.ReceiveAsync(round.Receive(invisibleSeconds: 5), cancellationToken);
            idle = batch.Count == 0 ? idle + 1 : 0;
            foreach (var message in batch)
            {
                seen.TryAdd(message.SystemProperties.MessageId, 0);
                await round.Client.AckAsync(round.Group, message, cancellationToken);
            }
        }
    }

    // A producer that is connected to this node, and to it again when it comes back.
    private static async Task AnswerChecksAsync(FeatureRound round, Workers.NodeClient node, CancellationToken cancellationToken)
    {
        var settings = new TelemetryCommand
        {
            Settings = new Settings
            {
                ClientType = ClientType.Producer,
                Publishing = new Publishing { Topics = { new Resource { Name = round.Topic } } },
            },
        };
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using var call = node.Messaging.Telemetry(node.Options(TimeSpan.FromMinutes(5), cancellationToken));
                await call.RequestStream.WriteAsync(settings, cancellationToken);
                await foreach (var command in call.ResponseStream.ReadAllAsync(cancellationToken))
                {
                    if (command.RecoverOrphanedTransactionCommand is { } check)
                    {
                        var id = check.Message.SystemProperties.MessageId;
                        await EndAsync(round, id, check.TransactionId, ResolutionOf(id), cancellationToken);
                    }
                }
            }
            catch (Exception exception) when (exception is RpcException or IOException or OperationCanceledException or InvalidOperationException)
            {
                await PauseAsync(cancellationToken);
            }
        }
    }

    private static async Task PauseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Machines.Wait.ForAsync(TimeSpan.FromMilliseconds(200), cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The round is over.
        }
    }
}
