using Dledger.Chaos.Checking;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Faults;

/// <summary>F10 and F11: syncs or writes of one node fail. It must stop at once with its own exit code and never acknowledge
/// again; the others go on, and started anew it takes part again.</summary>
/// <param name="victims">The leader or a follower.</param>
/// <param name="calls">Names of system calls with commas.</param>
/// <param name="error">Name of the error.</param>
internal sealed class SyscallErrorFault(Victims victims, string calls, string error) : IFault
{
    /// <summary>The documented exit code of a node that can no longer keep its promises.</summary>
    private const int NodeFaultCode = 8;

    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan GoOnPatience = TimeSpan.FromSeconds(10);

    // From the system call, by the clock of strace, until the node can have heard of the error.
    private static readonly TimeSpan NoticeTime = TimeSpan.FromMilliseconds(100);

    private ChaosNode? _node;
    private Tracer? _tracer;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _node = (await round.ChooseAsync(victims, cancellationToken))[0];
        _node.MayEnd = true;
        _tracer = await Tracer.AttachAsync(_node.ProcessId, calls, $"error={error}", round.Undertaker);
        var isEnded = await Wait.UntilAsync(EndPatience, () => !_node.IsRunning, cancellationToken);
        round.Proof["injected"] = _tracer.Count;
        round.Proof["endedAfterMs"] = isEnded && _tracer.First is { } first ? (long)(DateTimeOffset.UtcNow - first).TotalMilliseconds : null;
        if (_tracer.Count > 0 && !isEnded)
        {
            round.Surprises.Add($"node {_node.Id} goes on although {calls} failed with {error}");
        }

        var acked = round.Recorder.Acked;
        if (!await Wait.UntilAsync(GoOnPatience, () => round.Recorder.Acked > acked, cancellationToken))
        {
            round.Surprises.Add($"nothing was acked for {GoOnPatience.TotalSeconds} s without node {_node.Id}");
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

        if (_tracer?.First is { } begin)
        {
            CheckAcks(round, _node!, DateTimeOffset.UtcNow - begin);
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

    /// <summary>A leader acknowledges nothing that it was asked for after its first error; a follower may still pass on the
    /// answer of a leader until it has ended.</summary>
    private void CheckAcks(FaultRound round, ChaosNode node, TimeSpan age)
    {
        var time = round.Recorder.Now - (long)((age - NoticeTime).TotalSeconds * 1e9);
        var late = LateAcks.After(round.Recorder.Snapshot().Entries, node.Id, time);
        round.Proof["ackedByItAfterTheError"] = late.Count;
        if (late.Count > 0 && victims == Victims.Leader)
        {
            round.Surprises.Add($"node {node.Id} acked {late.Count} messages after {error} in {calls}, such as {late[0]}");
        }
    }
}
