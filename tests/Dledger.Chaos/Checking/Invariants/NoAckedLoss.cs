namespace Dledger.Chaos.Checking.Invariants;

/// <summary>Every acked message is in the final log at its acked offset, with its bytes, on every replica that was read.
/// </summary>
/// <remarks>Lost ones are told apart by where they lie among the acked ones of their worker: the middle is worst.</remarks>
internal sealed class NoAckedLoss : IInvariant
{
    public string Id => "I1";

    public string Name => "no acked loss";

    public IEnumerable<string> Breaches(Observations seen)
    {
        foreach (var (source, log) in seen.Finals.Where(final => final.Key.Topic == seen.Header.Topic))
        {
            var stored = log.Where(message => message.IsWhole).Select(message => (message.Id, message.Offset)).ToHashSet();
            foreach (var worker in seen.Sends.Values.Where(send => send.IsAcked).GroupBy(send => send.Worker))
            {
                var acked = worker.OrderBy(send => send.Begin).ToList();
                var lost = acked.Select(send => !stored.Contains((send.Id, send.Offset))).ToList();
                for (var i = 0; i < acked.Count; i++)
                {
                    if (lost[i])
                    {
                        yield return $"{acked[i].Id} was acked at offset {acked[i].Offset} and is not in the log "
                            + $"({source.Source}; {Place(lost, i)} of its worker's acked messages)";
                    }
                }
            }
        }
    }

    private static string Place(List<bool> lost, int at) =>
        lost.Take(at).All(gone => gone) ? "prefix" : lost.Skip(at).All(gone => gone) ? "suffix" : "middle";
}
