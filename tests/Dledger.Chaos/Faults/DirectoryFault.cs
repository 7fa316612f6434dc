using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Faults;

/// <summary>F19: followers come back with another directory than they had. One with that of somebody else must be refused as
/// the voter that it was; healing gives the directory back.</summary>
/// <remarks>A node with an old copy cannot know; Raft allows no such thing, but one alone, in a calm cluster, must not lose
/// anything that was acked.</remarks>
internal sealed class DirectoryFault(DirectoryFate fate) : IFault
{
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(4);

    private readonly List<ChaosNode> _nodes = [];
    private bool _isMoved;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _nodes.Add(await round.FollowerAsync(cancellationToken));
        if (fate == DirectoryFate.Swapped)
        {
            var leader = await round.Cluster.FindLeaderAsync();
            _nodes.Add(round.Cluster.Nodes.First(node => node != leader && node != _nodes[0]));
            round.On.Add(_nodes[1].Id);
        }

        await Task.WhenAll(_nodes.Select(node => node.KillAsync()));
        await ChangeAsync(_nodes[0], cancellationToken);
        foreach (var node in _nodes)
        {
            node.Start();
            node.MayEnd = true;
        }

        foreach (var node in _nodes)
        {
            await JudgeAsync(round, node, cancellationToken);
        }
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken) =>
        Task.FromResult(_nodes.Count > 0 && _nodes.All(node => round.Proof.ContainsKey($"node {node.Id}")));

    public async Task HealAsync(FaultRound round)
    {
        await Task.WhenAll(_nodes.Select(node => node.KillAsync()));
        if (_isMoved && fate == DirectoryFate.Swapped)
        {
            Swap(_nodes[0].Place.DataDirectory, _nodes[1].Place.DataDirectory);
        }

        _nodes.ForEach(node => node.Start());
    }

    private async Task ChangeAsync(ChaosNode node, CancellationToken cancellationToken)
    {
        var data = node.Place.DataDirectory;
        switch (fate)
        {
            case DirectoryFate.Swapped:
                Swap(data, _nodes[1].Place.DataDirectory);
                break;
            default:
                await Command.RunAsync("cp", "-a", data, data + ".old");
                node.Start();
                await Wait.ForAsync(Age, cancellationToken);
                await node.KillAsync();
                Directory.Delete(data, recursive: true);
                Directory.Move(data + ".old", data);
                break;
        }

        _isMoved = true;
    }

    private async Task JudgeAsync(FaultRound round, ChaosNode node, CancellationToken cancellationToken)
    {
        NodeStatus? status = null;
        await Wait.UntilAsync(
            AnswerPatience,
            async () => !node.IsRunning
                || (status = await round.Cluster.AskAsync(node))?.Role is NodeRole.Passive or NodeRole.Follower or NodeRole.Leader,
            cancellationToken);
        round.Proof[$"node {node.Id}"] = !node.IsRunning ? $"ended with {await node.Ended}" : $"{status?.Role}: {status?.State}";
        var isRefused = !node.IsRunning || status?.Role == NodeRole.Passive;
        if (isRefused == (fate == DirectoryFate.OldCopy))
        {
            round.Surprises.Add(isRefused
                ? $"node {node.Id} is refused with an old copy of its own directory"
                : $"node {node.Id} is not refused, although its directory is not its own ({status?.Role.ToString() ?? "no answer"})");
        }
    }

    private static void Swap(string left, string right)
    {
        // The two may lie on different file systems, between which a rename is not possible.
        var (a, b) = (left + ".swap", right + ".swap");
        Directory.Move(left, a);
        Directory.Move(right, b);
        Copy(a, right);
        Copy(b, left);
        Directory.Delete(a, recursive: true);
        Directory.Delete(b, recursive: true);
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        foreach (var folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        }
    }
}
