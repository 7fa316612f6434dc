using System.Globalization;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Faults;

/// <summary>F20: the wall clock of one node jumps while the monotonic one runs on. No election may come of it.</summary>
/// <remarks>The node is started anew with the clock under our control, and once more without it.</remarks>
internal sealed class ClockFault : IFault
{
    private static readonly TimeSpan[] Jumps =
        [TimeSpan.FromHours(1), TimeSpan.FromMinutes(-1), TimeSpan.FromHours(-1), TimeSpan.FromSeconds(90)];

    private static readonly TimeSpan SettlePatience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(20);

    private ChaosNode? _node;
    private string _file = "";
    private TimeSpan _jump;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _node = await round.FollowerAsync(cancellationToken);
        _file = Path.Combine(round.Undertaker.Directory, $"clock-{_node.Id}");
        FakeClock.Prepare(_node.Environment, _file);
        await _node.KillAsync();
        _node.Start();
        await Wait.UntilAsync(SettlePatience, round.Cluster.IsWholeAsync, cancellationToken);
        var before = (await round.Cluster.AskAsync(_node))?.Term ?? 0;
        _jump = Jumps[round.Random.Next(Jumps.Length)];
        FakeClock.Set(_file, _jump);
        round.Proof["jumpSeconds"] = _jump.TotalSeconds;
        await Wait.ForAsync(TimeSpan.FromSeconds(5), cancellationToken);
        var after = (await round.Cluster.AskAsync(_node))?.Term ?? 0;
        round.Proof["terms"] = $"{before} {after}";
        if (after != before)
        {
            round.Surprises.Add($"a jump of the wall clock of node {_node.Id} led from term {before} to {after}");
        }
    }

    public async Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        // The last thing that a node logs when it is told to stop carries its wall clock.
        await _node!.StopAsync(SettlePatience);
        var stamp = _node.LogTail(1).Split(' ')[0];
        round.Proof["lastLogLine"] = stamp;
        return DateTimeOffset.TryParse(stamp, CultureInfo.InvariantCulture, out var wall)
            && (wall - DateTimeOffset.UtcNow - _jump).Duration() < Tolerance;
    }

    public async Task HealAsync(FaultRound round)
    {
        if (_node is { } node)
        {
            FakeClock.Forget(node.Environment);
            await node.KillAsync();
            node.Start();
        }
    }
}
