using Dledger.Chaos.Histories;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Chaos.Workers;

/// <summary>Asks for the ends of the queues and the progress of the groups, each time another node.</summary>
internal sealed class OffsetWatcher(Workload workload, string name, NodeClient[] clients)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private int _names;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period);
        try
        {
            for (var round = 0; await timer.WaitForNextTickAsync(cancellationToken); round++)
            {
                var client = clients[round % clients.Length];
                await AskAsync("maxOffset", null, client, async () => Read(await client.Admin.DescribeTopicAsync(
                    new DescribeTopicRequest { Name = Workload.Topic }, client.Options(Workload.AttemptTimeMax))));
                var group = Workload.Groups.Keys.ElementAt(round % Workload.Groups.Count);
                await AskAsync("groupOffset", group, client, async () => Read(await client.Admin.DescribeGroupAsync(
                    new DescribeGroupRequest { Name = group }, client.Options(Workload.AttemptTimeMax))));
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    private static (AdminStatus, IReadOnlyList<long[]>) Read(DescribeTopicResponse answer) =>
        (answer.Status, [.. answer.Queues.Select(queue => new[] { queue.QueueId, queue.MaxOffset })]);

    private static (AdminStatus, IReadOnlyList<long[]>) Read(DescribeGroupResponse answer) =>
        (answer.Status, [.. answer.Queues.Where(queue => queue.Topic == Workload.Topic)
            .Select(queue => new[] { queue.QueueId, queue.CommittedOffset })]);

    private async Task AskAsync(
        string function, string? group, NodeClient client, Func<Task<(AdminStatus, IReadOnlyList<long[]>)>> ask)
    {
        var entry = new HistoryEntry
        {
            Function = function,
            Worker = _names == 0 ? name : $"{name}-{_names}",
            Topic = Workload.Topic,
            Group = group,
            Node = client.Node,
        };
        workload.Recorder.Record(entry with { Phase = "invoke" });
        try
        {
            var (status, offsets) = await ask();
            workload.Recorder.Record(status.Code == AdminCode.AdminOk
                ? entry with { Phase = "ok", Offsets = offsets }
                : entry with { Phase = "fail", Error = status.Code.ToString() });
        }
        catch (RpcException exception)
        {
            _names++;
            workload.Recorder.Record(entry with { Phase = "info", Error = exception.StatusCode.ToString() });
        }
    }
}
