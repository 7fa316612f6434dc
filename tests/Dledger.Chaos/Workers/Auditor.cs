using Apache.Rocketmq.V2;
using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Chaos.Workers;

/// <summary>Reads everything back through the brokers when the faults are over, with a group that has never read before.
/// </summary>
internal sealed class Auditor(Workload workload)
{
    private const int ReaderCount = 6;
    private const int BatchMax = 32;

    private static readonly TimeSpan Invisible = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ErrorDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Reads a topic to its end; false when the group does not get there in time.</summary>
    /// <param name="topic">What to read; a topic that does not exist is empty.</param>
    /// <param name="group">A group of its own.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<bool> ReadAsync(string topic, string group, CancellationToken cancellationToken)
    {
        var clients = workload.Connect($"chaos-{group}");
        try
        {
            if (await DescribeAsync(clients, topic, cancellationToken) is not { } ends)
            {
                return true;
            }

            await CreateAsync(clients, group, cancellationToken);
            var target = ends.Queues.Sum(queue => queue.MaxOffset);
            var seen = new HashSet<(int, long)>();
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            over.CancelAfter(Patience);
            await Task.WhenAll(Enumerable.Range(0, ReaderCount).Select(
                reader => ReadAsync(clients, reader % clients.Length, topic, group, seen, target, over.Token)));
            cancellationToken.ThrowIfCancellationRequested();
            workload.Recorder.Record(new HistoryEntry
            {
                Function = "final",
                Phase = "ok",
                Topic = topic,
                Event = "ends",
                Offsets = [.. ends.Queues.Select(queue => new[] { queue.QueueId, queue.MaxOffset })],
            });
            return seen.Count >= target;
        }
        finally
        {
            Array.ForEach(clients, client => client.Dispose());
        }
    }

    private static async Task<DescribeTopicResponse?> DescribeAsync(
        NodeClient[] clients, string topic, CancellationToken cancellationToken)
    {
        DescribeTopicResponse? answer = null;
        await AskAsync(
            clients,
            async client => (answer = await client.Admin.DescribeTopicAsync(
                new DescribeTopicRequest { Name = topic }, client.Options(Workload.AttemptTimeMax))).Status,
            cancellationToken);
        return answer?.Status.Code == AdminCode.AdminOk ? answer : null;
    }

    private static Task CreateAsync(NodeClient[] clients, string group, CancellationToken cancellationToken) => AskAsync(
        clients,
        async client => (await client.Admin.CreateGroupAsync(
            new CreateGroupRequest { Group = new Group { Name = group } }, client.Options(Workload.AttemptTimeMax))).Status,
        cancellationToken);

    /// <summary>Asks one node after the other until one knows.</summary>
    private static Task AskAsync(
        NodeClient[] clients, Func<NodeClient, Task<AdminStatus>> ask, CancellationToken cancellationToken) => Wait.UntilAsync(
            Patience,
            async () =>
            {
                foreach (var client in clients)
                {
                    try
                    {
                        if ((await ask(client)).Code is AdminCode.AdminOk or AdminCode.AdminNotFound)
                        {
                            return true;
                        }
                    }
                    catch (RpcException)
                    {
                        // The next node knows.
                    }
                }

                return false;
            },
            cancellationToken);

    private async Task ReadAsync(
        NodeClient[] clients,
        int node,
        string topic,
        string group,
        HashSet<(int, long)> seen,
        long target,
        CancellationToken over)
    {
        while (!over.IsCancellationRequested && Count(seen) < target)
        {
            var client = clients[node];
            var call = await PopCall.RunAsync(client, group, topic, BatchMax, Invisible, LongPoll, null);
            if (call.End.Certainty != Certainty.Done)
            {
                node = (node + 1) % clients.Length;
                await Wait.ForAsync(ErrorDelay, CancellationToken.None);
                continue;
            }

            if (call.Messages.Count == 0)
            {
                continue;
            }

            lock (seen)
            {
                call.Messages.ToList().ForEach(message => seen.Add((message.Delivery.Queue, message.Delivery.Offset)));
            }

            workload.Recorder.Record(new HistoryEntry
            {
                Function = "final",
                Phase = "ok",
                Topic = topic,
                Group = group,
                Event = "served",
                Messages = [.. call.Messages.Select(message => Delivery.Final(
                    message.Delivery.Queue, message.Delivery.Offset, message.Delivery.Id, message.Delivery.IsWhole))],
            });
            await AckAsync(client, topic, group, call.Messages);
        }
    }

    private static int Count(HashSet<(int, long)> seen)
    {
        lock (seen)
        {
            return seen.Count;
        }
    }

    private static async Task AckAsync(NodeClient client, string topic, string group, IReadOnlyList<Popped> messages)
    {
        var request = new AckMessageRequest { Group = new Resource { Name = group }, Topic = new Resource { Name = topic } };
        request.Entries.AddRange(messages.Select(
            message => new AckMessageEntry { MessageId = message.MessageId, ReceiptHandle = message.Receipt }));
        try
        {
            await client.Messaging.AckMessageAsync(request, client.Options(Workload.AttemptTimeMax));
        }
        catch (RpcException)
        {
            // It is delivered once more, which a set does not mind.
        }
    }
}
