using System.Diagnostics;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Faults;

/// <summary>F19: a follower comes back with an empty directory. It must not count as the voter that it was; the leader takes it
/// in as a learner and makes a voter of it again, without anybody's help. Healing gives nothing back.</summary>
internal sealed class WipedDirectoryFault : IFault
{
    private static readonly TimeSpan ReplacementPatience = TimeSpan.FromSeconds(30);

    private ChaosNode? _node;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _node = await round.FollowerAsync(cancellationToken);
        await _node.KillAsync();
        _node.Wipe();
        var watch = Stopwatch.StartNew();
        _node.Start();
        NodeStatus? status = null;
        var isReplaced = await Wait.UntilAsync(
            ReplacementPatience,
            async () => (status = await round.Cluster.AskLeaderAboutAsync(_node)) is
            {
                Role: NodeRole.Follower, MemberRole: MemberRole.MemberVoter, State: "ok",
            },
            cancellationToken);
        round.Proof["answer"] = $"{status?.Role}, {status?.MemberRole}: {status?.State}";
        round.Proof["replacedAfterMs"] = watch.ElapsedMilliseconds;
        if (!isReplaced)
        {
            round.Surprises.Add($"node {_node.Id} lost its directory and is no voter again after {ReplacementPatience.TotalSeconds} s");
        }
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken) =>
        Task.FromResult(round.Proof.ContainsKey("answer"));

    public Task HealAsync(FaultRound round)
    {
        if (_node is { IsRunning: false })
        {
            _node.Start();
        }

        return Task.CompletedTask;
    }
}
