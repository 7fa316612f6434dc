using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Faults;

/// <summary>F17: a node is killed inside its n-th write, sync, rename or truncation.</summary>
internal sealed class CrashPointFault : IFault
{
    // Frames are appended with pwritev and fdatasync; pwrite64, fsync and the rest belong to votes, queues, checkpoints and rolls.
    private static readonly (string Calls, int Most)[] Points =
    [
        ("pwritev,pwritev2", 200), ("fdatasync", 200), ("pwrite64", 100), ("fsync", 3), ("rename,renameat,renameat2", 2),
        ("ftruncate,fallocate,unlink,unlinkat", 2), ("pwrite64,pwritev,pwritev2,fdatasync,fsync", 100),
    ];

    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private ChaosNode? _node;
    private Tracer? _tracer;
    private bool _isDead;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _node = await round.AnyAsync(cancellationToken);
        var (calls, most) = Points[round.Random.Next(Points.Length)];
        var number = 1 + round.Random.Next(most);
        round.Proof["point"] = $"{calls} {number}";
        _node.MayEnd = true;
        _tracer = await Tracer.AttachAsync(_node.ProcessId, calls, $"signal=SIGKILL:when={number}", round.Undertaker);
        _isDead = await Wait.UntilAsync(EndPatience, () => !_node.IsRunning, cancellationToken);
        if (!_isDead)
        {
            // A rare call did not come; the kill comes all the same, at whatever it is doing now.
            round.Proof["point"] = "anywhere";
            await _node.KillAsync();
            _isDead = true;
        }
    }

    public async Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var code = _isDead ? await _node!.Ended : 0;
        round.Proof["exitCode"] = code;
        return code == 137;
    }

    public async Task HealAsync(FaultRound round)
    {
        if (_tracer is not null)
        {
            await _tracer.DisposeAsync();
        }

        if (_node is { IsRunning: false })
        {
            _node.Start();
        }
    }
}
