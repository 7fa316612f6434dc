using Dledger.Chaos.Checking;
using Dledger.Chaos.Faults;
using Dledger.Chaos.Histories;

namespace Dledger.Chaos.Reports;

/// <summary>Makes the figures of a history.</summary>
internal static class ReportBuilder
{
    private const double Millisecond = 1e6;

    public static ChaosReport Build(History history, ChaosOptions? options = null)
    {
        var seen = new Observations(history);
        var verdict = Checker.Judge(history, NamesOf(kind => kind.CutsMajorityPower), NamesOf(kind => kind.MovesClocks));
        var acks = seen.Sends.Values.Where(send => send.IsAcked).Select(send => send.End).Order().ToList();
        var last = LastOf(seen);
        return new ChaosReport
        {
            Seed = history.Header.Seed,
            Mode = history.Header.Mode,
            Nodes = history.Header.Nodes.Count,
            Seconds = history.Entries.Count == 0 ? 0 : history.Entries[^1].Time / 1e9,
            Verdict = verdict,
            Faults = [.. FiguresOf(seen, acks), .. NotRun(history)],
            Operations = seen.Operations.GroupBy(operation => operation.End.Function).OrderBy(function => function.Key).ToDictionary(
                function => function.Key,
                function => (IReadOnlyDictionary<string, int>)function.CountBy(operation => operation.End.Phase!)
                    .ToDictionary(count => count.Key, count => count.Value)),
            Acked = acks.Count,
            Lost = CountOf(verdict, "I1") + verdict.Forgiven,
            Phantom = CountOf(verdict, "I2"),
            StoredAgain = seen.FinalLog.DistinctBy(message => (message.Queue, message.Offset)).GroupBy(message => message.Id)
                .Sum(message => message.Count() - 1),
            OutOfOrder = CountOf(verdict, "I5"),
            Early = CountOf(verdict, "I12"),
            StaleAcksRefused = history.Entries.Where(entry => entry is { Function: "ack", Phase: "fail", Error: "40013" })
                .Sum(entry => entry.Messages?.Count ?? 0),
            Redeliveries = seen.Deliveries.Count(delivery => delivery.Message.Attempt > 1),
            RedeliveryLateness = Lateness(seen),
            DeadLetters = seen.Finals.Where(final => final.Key.Topic.StartsWith('%')).Sum(
                final => final.Value.Select(message => message.Id).Distinct().Count()),
            LeaderChanges = Validity.LeaderChanges(seen),
            CalmGapMax = Gaps(acks).Where(gap => gap.End <= last && !seen.Faults.Any(fault =>
                gap.Begin < fault.End && gap.End > fault.Start)).Select(Length).DefaultIfEmpty().Max(),
        };
    }

    private static HashSet<string> NamesOf(Func<FaultKind, bool> predicate) =>
        FaultCatalogue.All.Where(predicate).Select(kind => kind.Name).ToHashSet();

    private static int CountOf(Verdict verdict, string invariant) =>
        verdict.Findings.FirstOrDefault(finding => finding.Id == invariant)?.Count ?? 0;

    private static long LastOf(Observations seen) => seen.Sends.Values.Select(send => send.Begin).DefaultIfEmpty().Max();

    private static IEnumerable<(long Begin, long End)> Gaps(List<long> acks) => acks.Zip(acks.Skip(1));

    private static double Length((long Begin, long End) gap) => (gap.End - gap.Begin) / Millisecond;

    private static IEnumerable<FaultFigures> FiguresOf(Observations seen, List<long> acks) =>
        seen.Faults.GroupBy(fault => fault.Kind).Select(kind => new FaultFigures
        {
            Kind = kind.Key,
            Code = CodeOf(kind.Key),
            Injected = kind.Count(),
            Bit = kind.Count(fault => fault.Bit),
            GapMilliseconds = [.. kind.Select(fault => Gaps(acks)
                .Where(gap => gap.Begin < fault.End && gap.End > fault.Start)
                .Select(Length).DefaultIfEmpty().Max()).Order()],
            WholeMaxMilliseconds = kind.Where(fault => fault.End != long.MaxValue)
                .Select(fault => (fault.End - fault.Heal) / Millisecond).DefaultIfEmpty().Max(),
        });

    private static IEnumerable<FaultFigures> NotRun(History history) => history.Entries
        .Where(entry => entry is { Function: "fault", Phase: "notRun" })
        .Select(entry => new FaultFigures { Kind = entry.Kind!, Code = CodeOf(entry.Kind!), NotRun = entry.Error });

    private static string CodeOf(string name) => FaultCatalogue.All.FirstOrDefault(kind => kind.Name == name)?.Code ?? "";

    /// <summary>How long after the latest end of its lease a message was delivered again.</summary>
    private static double[] Lateness(Observations seen)
    {
        var late = new List<double>();
        foreach (var message in seen.Deliveries.GroupBy(delivery => delivery.Key).Where(group => group.Count() > 1))
        {
            var deliveries = message.OrderBy(delivery => delivery.Message.Attempt).ToList();
            late.AddRange(deliveries.Zip(deliveries.Skip(1)).Select(
                pair => Math.Max(0, (pair.Second.End - pair.First.VisibleUntil) / Millisecond)));
        }

        late.Sort();
        return late.Count == 0 ? [0, 0, 0] : [late[late.Count / 2], late[(int)(late.Count * 0.99)], late[^1]];
    }
}
