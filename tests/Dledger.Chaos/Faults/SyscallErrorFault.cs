using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Faults;

/// <summary>F10 and F11: syncs or writes of one node fail. It must stop at once with its own exit code and never acknowledge
/// again; started anew it takes part again.</summary>
internal sealed class SyscallErrorFault(string calls, string error) : IFault
{
    /// <summary>The documented exit code of a node that can no longer keep its promises.</summary>
    private const int NodeFaultCode = 8;

    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(15);

    private ChaosNode? _node;
    private Tracer? _tracer;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _node = await round.AnyAsync(cancellationToken);
        _node.MayEnd = true;
        _tracer = await Tracer.AttachAsync(_node.ProcessId, calls, $"error={error}", round.Undertaker);
        var isEnded = await Wait.UntilAsync(EndPatience, () => !_node.IsRunning, cancellationToken);
        round.Proof["injected"] = _tracer.Count;
        if (_tracer.Count > 0 && !isEnded)
        {
            round.Surprises.Add($"node {_node.Id} goes on although {calls} failed with {error}");
        }
    }

    public async Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        if (_node is { IsRunning: false })
        {
            var code = await _node.Ended;
            round.Proof["exitCode"] = code;
            if (code != NodeFaultCode)
            {
                round.Surprises.Add($"node {_node.Id} ended with code {code} instead of {NodeFaultCode} after {error} in {calls}");
            }
        }

        return _tracer?.Count > 0;
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
