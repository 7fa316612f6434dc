using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Workers;

namespace Dledger.Chaos.Faults;

/// <summary>F26: the consumers of one group take messages and never answer, so that all their leases run out together. The
/// other group must not notice.</summary>
internal sealed class StuckConsumersFault : IFault
{
    private const double OtherPartMin = 0.5;
    private const int ForgottenMin = 100;

    private static readonly TimeSpan StuckTime = TimeSpan.FromSeconds(7);

    private string _stuck = "";
    private int _forgotten;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        var groups = Workload.Groups.Keys.ToArray();
        round.Random.Shuffle(groups);
        (_stuck, var other) = (groups[0], groups[1]);
        round.Proof["stuck"] = _stuck;
        var begin = round.Recorder.Now;
        round.Workload.StuckGroup = _stuck;
        await Wait.ForAsync(StuckTime, cancellationToken);
        round.Workload.StuckGroup = null;

        var length = round.Recorder.Now - begin;
        var entries = round.Recorder.Snapshot().Entries;
        var (before, during) = (Acks(entries, other, begin - length, begin), Acks(entries, other, begin, begin + length));
        _forgotten = entries.Where(entry => entry.Function == "pop" && entry.Group == _stuck && entry.Time > begin)
            .Sum(entry => entry.Messages?.Count ?? 0);
        round.Proof["forgotten"] = _forgotten;
        round.Proof["othersAckedBefore"] = before;
        round.Proof["othersAckedMeanwhile"] = during;
        if (during < OtherPartMin * before)
        {
            round.Surprises.Add($"{other} acked {before} messages before {_stuck} was stuck, and {during} in the same time then");
        }
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken) =>
        Task.FromResult(_forgotten >= ForgottenMin);

    public Task HealAsync(FaultRound round)
    {
        round.Workload.StuckGroup = null;
        return Task.CompletedTask;
    }

    private static int Acks(IEnumerable<HistoryEntry> entries, string group, long from, long to) => entries
        .Where(entry => entry is { Function: "ack", Phase: "ok" } && entry.Group == group && entry.Time >= from && entry.Time < to)
        .Sum(entry => entry.Messages?.Count ?? 0);
}
