using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Chaos.Workers;

/// <summary>All workers of a run, from the first message to the last ack.</summary>
internal sealed class WorkerCrew(Workload workload, int rate) : IAsyncDisposable
{
    private const int ProducerCount = 10;
    private const int ConsumersPerGroup = 3;

    // Enough that a probe finds an idle worker although every call of the last three seconds hangs.
    private const int ProbeCount = 80;
    private const int ProbeRate = 20;

    // Of so many messages one begins a batch of a stream, on top of the others.
    private const int MessagesPerBatch = 40;

    private static readonly TimeSpan CreatePatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DrainPatience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan DrainStep = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _producing = new();
    private readonly CancellationTokenSource _consuming = new();
    private readonly List<Task> _producers = [];
    private readonly List<Task> _consumers = [];
    private readonly List<NodeClient> _clients = [];
    private StreamCrew? _streams;

    /// <summary>Creates topic and groups and starts everybody.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await CreateAsync(cancellationToken);
        var load = new Pace(rate);
        var probes = new Pace(ProbeRate);
        _producers.Add(load.RunAsync(_producing.Token));
        _producers.Add(probes.RunAsync(_producing.Token));
        for (var i = 0; i < ProducerCount; i++)
        {
            _producers.Add(new Producer(workload, load, $"p{i}", i, Connect($"p{i}")).RunAsync());
        }

        var shared = Enumerable.Range(0, 4).Select(i => Connect($"probe-{i}")).ToArray();
        for (var i = 0; i < ProbeCount; i++)
        {
            _producers.Add(new Producer(workload, probes, $"x{i}", i, shared[i % shared.Length]).RunAsync());
        }

        var batches = new Pace((double)rate / MessagesPerBatch);
        _producers.Add(batches.RunAsync(_producing.Token));
        _streams = new StreamCrew(workload, batches);
        _producers.AddRange(_streams.Send());
        _consumers.AddRange(_streams.Read(_consuming.Token));
        foreach (var group in Workload.Groups.Keys)
        {
            for (var i = 0; i < ConsumersPerGroup; i++)
            {
                var name = $"{group[0]}{i}";
                _consumers.Add(new Consumer(workload, group, name, i, Connect($"consumer-{name}")).RunAsync(_consuming.Token));
            }
        }

        _consumers.Add(new OffsetWatcher(workload, "watcher", Connect("watcher")).RunAsync(_consuming.Token));
        _consumers.AddRange(workload.Cluster.Everyone.Select(node => new Observer(workload, node).RunAsync(_consuming.Token)));
    }

    /// <summary>Stops the producers, lets the consumers finish what is there, and stops them. False: they did not finish.
    /// </summary>
    public async Task<bool> DrainAsync(CancellationToken cancellationToken)
    {
        await _producing.CancelAsync();
        await Task.WhenAll(_producers);
        workload.IsDraining = true;
        var isDone = await Wait.UntilAsync(DrainPatience, IsDrainedAsync, cancellationToken, DrainStep);
        await _consuming.CancelAsync();
        await Task.WhenAll(_consumers);
        return isDone;
    }

    public async ValueTask DisposeAsync()
    {
        await _producing.CancelAsync();
        await _consuming.CancelAsync();
        await Task.WhenAll(_producers.Concat(_consumers));
        if (_streams is not null)
        {
            await _streams.DisposeAsync();
        }

        _clients.ForEach(client => client.Dispose());
        _producing.Dispose();
        _consuming.Dispose();
    }

    private NodeClient[] Connect(string clientId)
    {
        var clients = workload.Connect($"chaos-{clientId}");
        _clients.AddRange(clients);
        return clients;
    }

    private async Task CreateAsync(CancellationToken cancellationToken)
    {
        using var client = new NodeClient(workload.Cluster.Nodes[0].Place, "chaos-setup");
        var answers = new List<AdminStatus>();
        var isDone = await Wait.UntilAsync(
            CreatePatience,
            async () =>
            {
                answers.Clear();
                try
                {
                    answers.Add((await client.Admin.CreateTopicAsync(
                        new CreateTopicRequest { Topic = new Topic { Name = Workload.Topic, QueueCount = Workload.QueueCount } },
                        client.Options(Workload.AttemptTimeMax, cancellationToken))).Status);
                    foreach (var (group, attempts) in Workload.Groups)
                    {
                        answers.Add((await client.Admin.CreateGroupAsync(
                            new CreateGroupRequest { Group = new Group { Name = group, MaxAttempts = attempts } },
                            client.Options(Workload.AttemptTimeMax, cancellationToken))).Status);
                    }

                    return answers.All(answer => answer.Code == AdminCode.AdminOk);
                }
                catch (RpcException)
                {
                    return false;
                }
            },
            cancellationToken);
        if (!isDone)
        {
            throw new ChaosException($"topic and groups cannot be created: {string.Join("; ", answers)}");
        }
    }

    private async Task<bool> IsDrainedAsync()
    {
        foreach (var client in _clients.Take(workload.Cluster.Nodes.Count))
        {
            try
            {
                var lag = 0L;
                foreach (var group in Workload.Groups.Keys)
                {
                    var answer = await client.Admin.DescribeGroupAsync(
                        new DescribeGroupRequest { Name = group }, client.Options(Workload.AttemptTimeMax));
                    lag += answer.Status.Code == AdminCode.AdminOk && answer.Queues.Count > 0
                        ? answer.Queues.Where(queue => queue.Topic == Workload.Topic).Sum(queue => queue.LagCount)
                        : 1;
                }

                return lag == 0;
            }
            catch (RpcException)
            {
                // The next node knows.
            }
        }

        return false;
    }
}
