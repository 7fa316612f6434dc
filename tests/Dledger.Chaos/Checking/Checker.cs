using Dledger.Chaos.Checking.Invariants;
using Dledger.Chaos.Histories;

namespace Dledger.Chaos.Checking;

/// <summary>Judges a history and nothing else: it shares no code with the nodes and asks none of them.</summary>
internal static class Checker
{
    private const int ExamplesMax = 5;

    private static readonly TimeSpan AsyncWindow = TimeSpan.FromSeconds(1);

    // What a loss of power may take in QUORUM_ASYNC takes the offsets, reads and leases behind it along.
    private static readonly string[] HeldDespiteLoss = ["I2", "I19", "I20", "I21", "I22"];

    public static readonly IReadOnlyList<IInvariant> Invariants =
    [
        new NoAckedLoss(), new NoPhantom(), new OneTruth(), new DenseOffsets(), new RealTimeOrder(), new NoDirtyRead(),
        new NoLostRead(), new ReadYourAck(), new AckedStaysAcked(), new LeaseExclusive(), new EveryMessageEnds(),
        new GroupOffsets(), new ReplicasAgree(), new RaftRules(), new Liveness(), new Honesty(),
    ];

    /// <param name="history">What happened.</param>
    /// <param name="powerLosses">Kinds of faults that drop unsynced writes; what they may take in QUORUM_ASYNC is forgiven.
    /// </param>
    /// <param name="clockJumps">Kinds of faults that move the clocks by which leases end.</param>
    public static Verdict Judge(
        History history, IReadOnlySet<string>? powerLosses = null, IReadOnlySet<string>? clockJumps = null)
    {
        var seen = new Observations(history);
        var mayLose = history.Header.Mode == "QUORUM_ASYNC"
            ? seen.Faults.Where(fault => powerLosses?.Contains(fault.Kind) == true).ToList()
            : [];
        var forgiven = mayLose.Count > 0 ? Forgive(seen, mayLose) : 0;
        var jumped = clockJumps is not null && seen.Faults.Any(fault => clockJumps.Contains(fault.Kind));
        var findings = new List<Finding>();
        foreach (var invariant in Invariants)
        {
            if ((forgiven > 0 && !HeldDespiteLoss.Contains(invariant.Id) && invariant.Id != "I1")
                || (jumped && invariant.Id == "I12"))
            {
                continue;
            }

            var breaches = invariant.Breaches(seen).ToList();
            if (breaches.Count > 0)
            {
                findings.Add(new Finding(
                    invariant.Id, invariant.Name, breaches.Count, [.. breaches.Take(ExamplesMax)]));
            }
        }

        var surprises = seen.Faults.Where(fault => fault.Surprise.Length > 0)
            .Select(fault => $"{fault.Kind}: {fault.Surprise}").ToList();
        if (surprises.Count > 0)
        {
            findings.Add(new Finding("F", "faults", surprises.Count, [.. surprises.Take(ExamplesMax)]));
        }

        return new Verdict(findings, [.. Validity.Voids(seen)], forgiven);
    }

    /// <summary>Takes back the acks that a loss of power in QUORUM_ASYNC may have taken, when they are really gone.</summary>
    private static int Forgive(Observations seen, List<FaultRecord> powerLosses)
    {
        var forgiven = 0;
        foreach (var send in seen.Sends.Values.Where(send => send.IsAcked))
        {
            var isLost = !seen.FinalById[send.Id].Any(message => message.Offset == send.Offset);
            var isInWindow = powerLosses.Any(loss =>
                send.End > loss.Start - (long)(AsyncWindow.TotalSeconds * 1e9) && send.Begin < loss.Heal);
            if (isLost && isInWindow)
            {
                send.Phase = "info";
                forgiven++;
            }
        }

        return forgiven;
    }
}
