using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Faults;

/// <summary>F24: members come and go under load: a fresh node joins and leaves, the leader leaves and comes back, a follower
/// does; or a removal that would stop the cluster is asked for, which must wait. In the end everybody is a voter again.</summary>
/// <param name="disturbance">What happens to the leader after each request.</param>
internal sealed class MemberChangeFault(MemberDisturbance disturbance) : IFault
{
    private static readonly TimeSpan UnsafeRemovalTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeaderPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StayTime = TimeSpan.FromSeconds(1);

    private readonly List<ChaosNode> _killed = [];
    private MemberOperator? _operator;
    private MemberWatch? _watch;
    private ChaosNode? _frozen;
    private string _waitsFor = "";

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _operator = new MemberOperator(round.Cluster);
        _watch = await MemberWatch.StartAsync(round.Cluster);

        // A removal that must wait needs nodes that are down already; there the leader is left alone.
        switch (round.Random.Next(disturbance == MemberDisturbance.None ? 4 : 3))
        {
            case 0:
                round.Proof["change"] = "a fresh node joins and leaves";
                await JoinAndLeaveAsync(round, cancellationToken);
                break;
            case 1:
                round.Proof["change"] = "the leader leaves and comes back";
                await LeaveAndComeBackAsync(round, await round.LeaderAsync(cancellationToken), cancellationToken);
                break;
            case 2:
                round.Proof["change"] = "a follower leaves and comes back";
                await LeaveAndComeBackAsync(round, await round.FollowerAsync(cancellationToken), cancellationToken);
                break;
            default:
                round.Proof["change"] = "a removal must wait, since too few nodes are up";
                await RemoveTooManyAsync(round, cancellationToken);
                break;
        }
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var seen = _watch!.Seen;
        round.Proof["configurations"] = string.Join("; ", seen);
        return Task.FromResult(_waitsFor.Length > 0 || seen.Count >= 3);
    }

    public async Task HealAsync(FaultRound round)
    {
        _frozen?.Signal(Signals.Continue);
        foreach (var node in _killed.Where(node => !node.IsRunning))
        {
            node.Start();
        }

        if (_operator is not null)
        {
            await RestoreAsync(round, _operator);
            _operator.Dispose();
        }

        if (_watch is not null)
        {
            await _watch.DisposeAsync();
        }
    }

    private static async Task RestoreAsync(FaultRound round, MemberOperator @operator)
    {
        var spare = round.Cluster.Spare;
        if (spare.IsRunning && !await @operator.RemoveAsync(spare, CancellationToken.None))
        {
            round.Surprises.Add($"node {spare.Id} cannot be removed: {@operator.LastAnswer}");
        }

        await spare.KillAsync();
        foreach (var node in round.Cluster.Nodes)
        {
            if (!await @operator.RestoreAsync(node, CancellationToken.None))
            {
                round.Surprises.Add($"node {node.Id} is no voter in the end: {@operator.LastAnswer}");
            }
        }
    }

    private async Task JoinAndLeaveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var spare = round.Cluster.Spare;
        round.On.Add(spare.Id);
        await spare.KillAsync();
        spare.Wipe();
        spare.Start();
        await ChangeAsync(round, "added", spare, _operator!.AddAsync(spare, cancellationToken), cancellationToken);
        if (round.Random.Next(2) == 0)
        {
            round.Proof["transferToIt"] = await round.Cluster.TransferAsync(spare.Id, cancellationToken);
        }

        await Wait.ForAsync(StayTime, cancellationToken);
        await ChangeAsync(round, "removed", spare, _operator.RemoveAsync(spare, cancellationToken), cancellationToken);
        await spare.KillAsync();
    }

    private async Task LeaveAndComeBackAsync(FaultRound round, ChaosNode node, CancellationToken cancellationToken)
    {
        await ChangeAsync(round, "removed", node, _operator!.RemoveAsync(node, cancellationToken), cancellationToken);
        await Wait.ForAsync(StayTime, cancellationToken);
        await node.KillAsync();
        var keeps = round.Random.Next(2) == 0;
        round.Proof["directory"] = keeps ? "kept" : "emptied";
        if (!keeps)
        {
            node.Wipe();
        }

        node.Start();
        await ChangeAsync(round, "added", node, _operator.AddAsync(node, cancellationToken), cancellationToken);
    }

    /// <summary>Waits for a change, during which the leader may be injured.</summary>
    private async Task ChangeAsync(
        FaultRound round, string what, ChaosNode node, Task<bool> change, CancellationToken cancellationToken)
    {
        if (disturbance != MemberDisturbance.None)
        {
            await DisturbAsync(round, cancellationToken);
        }

        if (!await change)
        {
            round.Surprises.Add($"node {node.Id} could not be {what}: {_operator!.LastAnswer}");
        }
        else
        {
            await CheckAsync(round, what, node, cancellationToken);
        }
    }

    /// <summary>What was done must be seen by the leader.</summary>
    private static async Task CheckAsync(FaultRound round, string what, ChaosNode node, CancellationToken cancellationToken)
    {
        var role = MemberRole.Unspecified;
        await Wait.UntilAsync(
            LeaderPatience,
            async () => (role = (await round.Cluster.MembersAsync()).GetValueOrDefault(node.Id)) != MemberRole.Unspecified,
            cancellationToken);
        if (role != MemberRole.Unspecified && role == MemberRole.MemberVoter == (what == "removed"))
        {
            round.Surprises.Add($"node {node.Id} was {what} and is {role}");
        }
    }

    private async Task DisturbAsync(FaultRound round, CancellationToken cancellationToken)
    {
        await Wait.ForAsync(TimeSpan.FromMilliseconds(round.Random.Next(1, 300)), cancellationToken);
        if (await round.Cluster.FindLeaderAsync() is not { } leader)
        {
            return;
        }

        var hold = TimeSpan.FromSeconds(1 + (2 * round.Random.NextDouble()));
        if (disturbance == MemberDisturbance.Freeze)
        {
            (_frozen = leader).Signal(Signals.Stop);
            await Wait.ForAsync(hold, cancellationToken);
            leader.Signal(Signals.Continue);
            return;
        }

        _killed.Add(leader);
        await leader.KillAsync();
        await Wait.ForAsync(hold / 2, cancellationToken);
        leader.Start();
    }

    private async Task RemoveTooManyAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var cluster = round.Cluster;
        var leader = await cluster.FindLeaderAsync() ?? throw new ChaosException("there is no leader to ask");
        var followers = cluster.Nodes.Where(node => node != leader).ToArray();
        round.Random.Shuffle(followers);
        _killed.AddRange(followers[..((cluster.Nodes.Count - 1) / 2)]);
        var victim = followers[^1];
        round.On.AddRange(_killed.Append(victim).Select(node => node.Id));
        var before = MemberWatch.Describe(await cluster.MembersAsync());
        await Task.WhenAll(_killed.Select(node => node.KillAsync()));
        if (await _operator!.TryRemoveAsync(victim, UnsafeRemovalTime, cancellationToken))
        {
            round.Surprises.Add($"node {victim.Id} was removed although {_killed.Count} of {before} were down");
        }

        _waitsFor = _operator.LastAnswer;
        round.Proof["waitsFor"] = _waitsFor;
        var after = MemberWatch.Describe(await cluster.MembersAsync());
        if (after.Length > 0 && after != before)
        {
            round.Surprises.Add($"a removal that must wait made {after} of {before}");
        }

        // The wish is taken back while the others are still down, or it would come true once they are up.
        if (!await _operator.AddAsync(victim, cancellationToken))
        {
            round.Surprises.Add($"the removal of node {victim.Id} cannot be taken back: {_operator.LastAnswer}");
        }
    }
}
