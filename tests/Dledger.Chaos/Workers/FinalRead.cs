using Dledger.Chaos.Clusters;
using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Workers;

/// <summary>What the brokers serve and what every replica holds, when all is healed and quiet.</summary>
internal static class FinalRead
{
    private const int MessagesPerLine = 500;

    // Frames whose check sums are recorded: every n-th, and the last. Each names all before it.
    private const int DigestStep = 64;

    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan MembersPatience = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(Workload workload, TextWriter progress, CancellationToken cancellationToken)
    {
        progress.WriteLine("reading everything back");
        var auditor = new Auditor(workload);
        if (!await auditor.ReadAsync(Workload.Topic, "audit", cancellationToken))
        {
            progress.WriteLine("the audit group did not come to the end of the topic");
        }

        foreach (var group in Workload.Groups.Keys)
        {
            await auditor.ReadAsync($"%DLQ%{group}", $"audit-{group}", cancellationToken);
        }

        var voters = await VotersAsync(workload, cancellationToken);
        var ends = await Task.WhenAll(workload.Cluster.Everyone.Select(node => node.StopAsync(StopPatience)));
        foreach (var node in workload.Cluster.Everyone)
        {
            if (ends[node.Id - 1] != 0)
            {
                progress.WriteLine($"node {node.Id} ended with {ends[node.Id - 1]} when told to stop");
            }

            if (voters.Contains(node.Id))
            {
                Record(workload.Recorder, node);
            }
        }
    }

    /// <summary>Who must hold everything: the voters of the last configuration, also one that was not there at first. The log
    /// of a node that was removed is nobody's replica.</summary>
    private static async Task<int[]> VotersAsync(Workload workload, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<int, MemberRole> members = new Dictionary<int, MemberRole>();
        await Wait.UntilAsync(
            MembersPatience, async () => (members = await workload.Cluster.MembersAsync()).Count > 0, cancellationToken);
        var voters = members.Where(member => member.Value == MemberRole.MemberVoter).Select(member => member.Key).Order().ToArray();
        workload.Recorder.Record(new HistoryEntry { Function = "final", Phase = "ok", Event = "members", On = voters });
        return voters;
    }

    private static void Record(HistoryRecorder recorder, ChaosNode node)
    {
        var entry = new HistoryEntry { Function = "final", Node = node.Id, Phase = "ok", Topic = Workload.Topic };
        ReplicaLog log;
        try
        {
            log = ReplicaLog.Read(node.Place.DataDirectory);
        }
        catch (ChaosException exception)
        {
            recorder.Record(entry with { Phase = "info", Error = exception.Message, Node = null, Worker = $"node {node.Id}" });
            return;
        }

        foreach (var line in log.Messages.Where(message => message.Topic is Workload.Topic or "")
            .Select(message => message.Message).Chunk(MessagesPerLine))
        {
            recorder.Record(entry with { Messages = line });
        }

        var digests = log.Frames.Where((_, n) => n % DigestStep == 0 || n == log.Frames.Count - 1)
            .Select(frame => new[] { frame.Position, (long)frame.Sum }).ToArray();
        recorder.Record(entry with { Event = "digest", Offsets = digests, Commit = log.End });
    }
}
