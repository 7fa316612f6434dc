namespace Dledger.Chaos.Checking;

/// <summary>Whether a run proves anything: a run that hardly ran, or a fault that did not bite, is void, not green.</summary>
internal static class Validity
{
    private const double OkPartMin = 0.95;
    private const int OkBeforeFaultMin = 10;

    // So often may a client try something without success before that is more than bad luck.
    private const int TriesMax = 50;
    private const long BeforeFault = 3_000_000_000;

    public static IEnumerable<string> Voids(Observations seen)
    {
        foreach (var line in seen.Misformed.Take(3))
        {
            yield return $"the history is not well formed: {line}";
        }

        var acked = seen.Sends.Values.Where(send => send.IsAcked).ToList();
        if (acked.Count < seen.Header.AckedMin)
        {
            yield return $"{acked.Count} messages were acked; a run needs {seen.Header.AckedMin}";
        }

        var acks = acked.Select(send => send.End).Order().ToList();
        foreach (var fault in seen.Faults)
        {
            if (!fault.Bit)
            {
                yield return $"{fault.Kind} shows no proof that it bit";
            }

            if (CountIn(acks, fault.Start - BeforeFault, fault.Start) < OkBeforeFaultMin)
            {
                yield return $"hardly anything was acked in the 3 s before {fault.Kind}";
            }
        }

        var calm = seen.Sends.Values.Where(send => !seen.Faults.Any(
            fault => send.Begin < After(fault) && send.End > fault.Start)).ToList();
        if (calm.Count > 0 && calm.Count(send => send.IsAcked) < OkPartMin * calm.Count)
        {
            yield return $"outside all faults only {calm.Count(send => send.IsAcked)} of {calm.Count} sends were acked";
        }

        foreach (var function in new[] { "send", "pop", "ack", "maxOffset", "groupOffset" })
        {
            if (!seen.Operations.Any(operation => operation.End.Function == function && operation.End.Phase == "ok"))
            {
                yield return $"no {function} succeeded";
            }
        }

        foreach (var client in seen.Operations.GroupBy(operation => (ClientOf(operation.End.Worker!), operation.End.Function))
            .Where(client => client.Count() >= TriesMax && !client.Any(operation => operation.End.Phase == "ok")))
        {
            yield return $"no {client.Key.Function} of {client.Key.Item1} succeeded";
        }

        if (seen.Header.ExpectsLeaderChange && LeaderChanges(seen) == 0)
        {
            yield return "the leader never changed";
        }

        foreach (var node in MembersOf(seen).Where(node => !IsRead(seen, node)))
        {
            yield return $"the final read did not cover node {node}";
        }

        if (seen.FinalLog.Count == 0)
        {
            yield return "there is no final read through the brokers";
        }
    }

    /// <summary>How often another node was first seen leading.</summary>
    public static int LeaderChanges(Observations seen)
    {
        var terms = seen.History.Entries.Where(entry => entry is { Function: "node", Event: "leader", Term: not null })
            .GroupBy(entry => entry.Term!.Value).OrderBy(term => term.Key).Select(term => term.First().Node).ToList();
        return terms.Zip(terms.Skip(1)).Count(pair => pair.First != pair.Second);
    }

    // A fault's effects on the clients outlast it by the deadline of a call that it caught.
    private static long After(FaultRecord fault) => fault.End == long.MaxValue ? fault.End : fault.End + BeforeFault;

    // The voters of the last configuration, where the history names them; else the nodes that the run began with.
    private static IReadOnlyList<int> MembersOf(Observations seen) =>
        seen.History.Entries.LastOrDefault(entry => entry is { Function: "final", Event: "members" })?.On is { Count: > 0 } voters
            ? voters
            : seen.Header.Nodes;

    // Read, or declared unreadable by a fault that took the node out for good.
    private static bool IsRead(Observations seen, int node) =>
        seen.History.Entries.Any(entry => entry.Function == "final" && entry.Node == node);

    // A worker changes its name after each unknown outcome.
    private static string ClientOf(string worker) => worker.Split('-')[0];

    private static int CountIn(List<long> sorted, long from, long to)
    {
        var begin = sorted.BinarySearch(from);
        var end = sorted.BinarySearch(to);
        return (end >= 0 ? end : ~end) - (begin >= 0 ? begin : ~begin);
    }
}
