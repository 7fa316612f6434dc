using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>An operator with the patience of a client: asks until somebody answers. Whatever is asked here may be asked twice.</summary>
internal sealed class PatientOperator(PatientClient client)
{
    private static readonly TimeSpan TermTimeMax = TimeSpan.FromSeconds(1);

    // The topic of dead letters is made for the first of them.
    private static readonly AdminStatus NoLetters = new() { Code = AdminCode.AdminOk };

    public Task<DescribeTopicResponse> DescribeTopicAsync(string topic, CancellationToken cancellationToken) => client.AdministerAsync(
        (node, options) => node.Admin.DescribeTopicAsync(new DescribeTopicRequest { Name = topic }, options),
        answer => answer.Status,
        cancellationToken);

    public Task<DescribeGroupResponse> DescribeGroupAsync(string group, CancellationToken cancellationToken) => client.AdministerAsync(
        (node, options) => node.Admin.DescribeGroupAsync(new DescribeGroupRequest { Name = group }, options),
        answer => answer.Status,
        cancellationToken);

    /// <summary>Messages that a group has not finished.</summary>
    public async Task<long> LagAsync(string group, CancellationToken cancellationToken) =>
        (await DescribeGroupAsync(group, cancellationToken)).Queues.Sum(queue => queue.LagCount);

    public Task<AddTopicRouteResponse> AddRouteAsync(TopicRoute route, CancellationToken cancellationToken) => client.AdministerAsync(
        (node, options) => node.Routes.AddTopicRouteAsync(new AddTopicRouteRequest { Route = route }, options),
        answer => answer.Status,
        cancellationToken);

    public Task<SeekGroupResponse> SeekAsync(SeekGroupRequest request, CancellationToken cancellationToken) => client.AdministerAsync(
        (node, options) => node.Offsets.SeekGroupAsync(request, options), answer => answer.Status, cancellationToken);

    /// <summary>The whole of a replay, piece by piece; how many messages were put back as far as the answers tell.</summary>
    public async Task<long> ReplayAsync(ReplayGroupRequest request, CancellationToken cancellationToken)
    {
        var count = 0L;
        do
        {
            var answer = await client.AdministerAsync(
                (node, options) => node.Offsets.ReplayGroupAsync(request, options), response => response.Status, cancellationToken);
            count += answer.Queues.Sum(queue => queue.PutBackCount);
            request.ContinueAt = answer.ContinueAt;
        }
        while (request.ContinueAt is not null);
        return count;
    }

    public Task<PauseGroupResponse> PauseAsync(string group, CancellationToken cancellationToken) => client.AdministerAsync(
        (node, options) => node.Parking.PauseGroupAsync(new PauseGroupRequest { Name = group, Reason = "a round" }, options),
        answer => answer.Status,
        cancellationToken);

    public Task<ResumeGroupResponse> ResumeAsync(string group, CancellationToken cancellationToken) => client.AdministerAsync(
        (node, options) => node.Parking.ResumeGroupAsync(new ResumeGroupRequest { Name = group }, options),
        answer => answer.Status,
        cancellationToken);

    public Task<ListParkedResponse> ParkedAsync(string group, CancellationToken cancellationToken) => client.AdministerAsync(
        (node, options) => node.Parking.ListParkedAsync(
            new ListParkedRequest { Selector = new ParkingSelector { Group = group } }, options),
        answer => answer.Status,
        cancellationToken);

    public Task<EndParkingResponse> ReleaseAsync(ParkingSelector selector, CancellationToken cancellationToken) => client.AdministerAsync(
        (node, options) => node.Parking.ReleaseParkedAsync(new EndParkingRequest { Selector = selector }, options),
        answer => answer.Status,
        cancellationToken);

    /// <summary>All dead letters of a group.</summary>
    public async Task<IReadOnlyList<DeadLetter>> ReadLettersAsync(string group, CancellationToken cancellationToken)
    {
        var letters = new List<DeadLetter>();
        var request = new ReadDeadLettersRequest { Group = group };
        while (request.QueueId >= 0)
        {
            var answer = await client.AdministerAsync(
                (node, options) => node.Letters.ReadDeadLettersAsync(request, options),
                response => response.Status.Code == AdminCode.AdminNotFound ? NoLetters : response.Status,
                cancellationToken);
            letters.AddRange(answer.Letters);
            (request.QueueId, request.QueueOffset) = answer.Status.Code == AdminCode.AdminNotFound
                ? (-1, 0)
                : (answer.NextQueueId, answer.NextQueueOffset);
        }

        return letters;
    }

    /// <summary>The highest term that a node knows of: at most one leader serves in each.</summary>
    public async Task<long> TermAsync(CancellationToken cancellationToken)
    {
        var terms = await Task.WhenAll(client.Nodes.Select(async node =>
        {
            try
            {
                var answer = await node.Admin.ClusterStatusAsync(
                    new ClusterStatusRequest { LocalOnly = true }, node.Options(TermTimeMax, cancellationToken));
                return answer.Nodes.Select(status => status.Term).DefaultIfEmpty().Max();
            }
            catch (Grpc.Core.RpcException) when (!cancellationToken.IsCancellationRequested)
            {
                return 0;
            }
        }));
        return terms.Max();
    }

    /// <summary>All that stands in a topic, by queue and offset, whatever groups do.</summary>
    public async Task<IReadOnlyList<Message>> ReadAllAsync(string topic, CancellationToken cancellationToken)
    {
        var messages = new List<Message>();
        foreach (var queue in (await DescribeTopicAsync(topic, cancellationToken)).Queues)
        {
            for (var offset = queue.MinOffset; offset < queue.MaxOffset;)
            {
                var (read, next) = await client.PullAsync(topic, queue.QueueId, offset, cancellationToken);
                messages.AddRange(read.Where(message => message.SystemProperties.QueueOffset < queue.MaxOffset));
                offset = next;
            }
        }

        return messages;
    }
}
