using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Faults;

/// <summary>F16: a minority loses its power and comes back, and in the same moment the leader, which had everything, is
/// frozen or cut off. So no leader can be elected without a node that has lost what was not synced. Nothing may be lost, in
/// QUORUM_ASYNC neither: such a node decides nothing until it has got everything back.</summary>
/// <remarks>In half of the rounds the other followers are frozen before, so that what was acked last lies on the leader and on
/// the nodes that lose their power, and nowhere else.</remarks>
internal sealed class PowerThenFreezeFault : IFault
{
    private const int AcksWithoutOthers = 20;

    private static readonly TimeSpan AckPatience = TimeSpan.FromSeconds(3);

    private readonly List<ChaosNode> _cut = [];
    private ChaosNode[] _others = [];
    private ChaosNode? _leader;
    private bool _isFrozen;
    private long _failedWrites;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var nodes = (await round.WithLeaderAsync(round.Cluster.Nodes.Count, cancellationToken)).ToArray();
        _leader = nodes[0];
        var amnesiacs = nodes[1..(1 + ((nodes.Length - 1) / 2))];
        _others = nodes[(1 + amnesiacs.Length)..];
        (_isFrozen, var areBehind) = (round.Random.Next(2) == 0, round.Random.Next(2) == 0);
        round.Proof["powerless"] = string.Join(' ', amnesiacs.Select(node => node.Id));
        round.Proof["leader"] = $"{_leader.Id} {(_isFrozen ? "frozen" : "cut off")}";
        round.Proof["othersBehind"] = areBehind;
        if (areBehind)
        {
            await LeaveBehindAsync(round, cancellationToken);
        }

        CutPower(round, amnesiacs);
        if (_isFrozen)
        {
            _leader.Signal(Signals.Stop);
        }
        else
        {
            round.Cluster.Network!.Part(
                [_leader.Id], [0, .. round.Cluster.Nodes.Where(node => node != _leader).Select(node => node.Id)]);
        }

        await RebootAsync(round);
        Array.ForEach(_others, node => node.Signal(Signals.Continue));
    }

    public async Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        round.Proof["volumesThatRefusedWrites"] = _failedWrites;
        foreach (var status in (await round.Cluster.AskAllAsync()).Where(status => status is not null && status.NodeId != _leader!.Id))
        {
            round.Proof[$"node {status!.NodeId}"] = $"{status.Role}, term {status.Term}: {status.State}";
        }

        return _failedWrites > 0
            && (_isFrozen ? _leader!.ProcessState() == 'T' : round.Cluster.Network!.Switch.Hits > 0);
    }

    public async Task HealAsync(FaultRound round)
    {
        round.Cluster.Network?.Switch.Heal();
        _leader?.Signal(Signals.Continue);
        Array.ForEach(_others, node => node.Signal(Signals.Continue));
        await RebootAsync(round);
    }

    /// <summary>Freezes those that keep their power until the leader has acked messages that they do not have.</summary>
    private async Task LeaveBehindAsync(FaultRound round, CancellationToken cancellationToken)
    {
        Array.ForEach(_others, node => node.Signal(Signals.Stop));
        var acked = round.Recorder.Acked;
        await Wait.UntilAsync(
            AckPatience, () => round.Recorder.Acked > acked + AcksWithoutOthers, cancellationToken, TimeSpan.FromMilliseconds(1));
    }

    private void CutPower(FaultRound round, ChaosNode[] amnesiacs)
    {
        foreach (var node in amnesiacs)
        {
            node.MayEnd = true;
            _cut.Add(node);
            round.Cluster.Volumes[node.Id].CutPower();
            _failedWrites += round.Cluster.Volumes[node.Id].RefusesWrites() ? 1 : 0;
        }
    }

    private async Task RebootAsync(FaultRound round)
    {
        foreach (var node in _cut)
        {
            await round.Cluster.RebootAsync(node);
        }

        _cut.Clear();
    }
}
