using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Faults;

/// <summary>F12: every sync of one node takes long. Acks may become slow, never early.</summary>
internal sealed class SlowSyncFault(Victims victims) : IFault
{
    private ChaosNode? _node;
    private Tracer? _tracer;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _node = (await round.ChooseAsync(victims, cancellationToken))[0];
        var milliseconds = 100 + round.Random.Next(900);
        round.Proof["delayMilliseconds"] = milliseconds;
        _tracer = await Tracer.AttachAsync(
            _node.ProcessId, "fsync,fdatasync", $"delay_enter={milliseconds}ms", round.Undertaker);
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var count = _tracer?.Count ?? 0;
        round.Proof["delayed"] = count;
        return Task.FromResult(count > 0);
    }

    public async Task HealAsync(FaultRound round)
    {
        if (_tracer is not null)
        {
            await _tracer.DisposeAsync();
        }
    }
}
