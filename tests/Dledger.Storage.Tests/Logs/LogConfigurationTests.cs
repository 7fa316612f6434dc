using System.Text;
using Dledger.Primitives;
using Dledger.Storage.Frames;
using Dledger.Storage.Logs;
using Dledger.Storage.Records;
using Dledger.Testing.Disks;

namespace Dledger.Storage.Tests.Logs;

/// <summary>Section 2.19: the configurations of a log are known when it is opened, wherever they lie.</summary>
public sealed class LogConfigurationTests
{
    [Fact]
    public void Configurations_of_frames_that_recovery_reads_are_found()
    {
        var bench = new LogBench(1);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 3));
        var first = Configure(log, "one");
        log.Append(bench.Frames(log.Tail, new Term(1), 3));
        var second = Configure(log, "two");
        log.Sync();

        var recovery = Reopen(bench, log);

        Assert.Equal([(first, "one"), (second, "two")], Describe(recovery.Configurations));
    }

    [Fact]
    public void Configurations_below_the_log_checkpoint_come_from_it()
    {
        var bench = new LogBench(2);
        var log = bench.OpenSound();
        log.Append(bench.Frames(log.Tail, new Term(1), 3));
        var first = Configure(log, "one");
        log.Append(bench.Frames(log.Tail, new Term(1), 40));
        log.WriteLogCheckpoint(log.Sync());
        var second = Configure(log, "two");
        log.Sync();

        var recovery = Reopen(bench, log);

        Assert.True(recovery.VerifiedBytes < 4096, $"{recovery.VerifiedBytes} bytes were read");
        Assert.Equal([(first, "one"), (second, "two")], Describe(recovery.Configurations));
    }

    [Fact]
    public void A_configuration_that_was_given_up_with_the_logs_beginning_is_still_known()
    {
        var bench = new LogBench(3);
        var log = bench.OpenSound();
        var first = Configure(log, "one", term: 1);
        log.Append(bench.Frames(log.Tail, new Term(1), 80));
        log.WriteLogCheckpoint(log.Sync());
        Assert.True(log.AdvanceStart(log.Tail.End, log.Tail.End) > first, "the start has moved on");

        var recovery = Reopen(bench, log);

        Assert.Equal([(first, "one")], Describe(recovery.Configurations));

        // A scan from the start does not use the checkpoint's place, but what it knows of the part that is gone.
        recovery.Log!.Dispose();
        var all = CommitLog.Open(
            bench.Disk, LogBench.Directory, LogBench.Small, LogBench.Identity, bench.Clock, verifyAll: true);
        Assert.Equal([(first, "one")], Describe(all.Configurations));
    }

    [Fact]
    public void A_truncated_configuration_is_forgotten()
    {
        var bench = new LogBench(4);
        var log = bench.OpenSound();
        var first = Configure(log, "one", term: 1);
        var end = log.Tail.End;
        Configure(log, "two");
        log.Sync();

        log.TruncateTo(end);
        log.Append(bench.Frames(log.Tail, new Term(2), 30));
        log.WriteLogCheckpoint(log.Sync());
        var recovery = Reopen(bench, log);

        Assert.Equal([(first, "one")], Describe(recovery.Configurations));
    }

    [Fact]
    public void A_reset_log_keeps_the_configurations_of_its_snapshot()
    {
        var bench = new LogBench(5);
        var log = bench.OpenSound();
        Configure(log, "old", term: 1);
        log.Sync();
        var start = new ChainTail(new LogPosition(1 << 20), 0xCAFE, 328, new Term(9), 1_700_000);
        LogConfiguration[] given = [new(new LogPosition(4096), "from the snapshot"u8.ToArray())];

        log.Reset(start, given);
        log.Dispose();
        bench.Disk.LosePower(SectorLoss.All);
        var recovery = bench.Open();

        Assert.Equal(given[0].Position, Assert.Single(recovery.Configurations).Position);
        recovery.Log!.Dispose();
        CommitLog.ResetOnDisk(bench.Disk, LogBench.Directory, LogBench.Small, LogBench.Identity, start, given);
        Assert.Equal(given[0].Position, Assert.Single(bench.Open().Configurations).Position);
    }

    [Fact]
    public void A_start_that_passes_configurations_writes_them_down_first_and_keeps_the_one_in_force_there()
    {
        var bench = new LogBench(6);
        var log = bench.OpenSound();
        Configure(log, "0", term: 1);
        Configure(log, "1");
        log.Append(bench.Frames(log.Tail, new Term(1), 60));
        var last = Configure(log, "2");
        log.Append(bench.Frames(log.Tail, new Term(1), 40));
        log.Sync();

        // Nobody has written a checkpoint so far.
        Assert.True(log.AdvanceStart(last, last) > LogPosition.Zero, "the start has moved on");
        var recovery = Reopen(bench, log);

        Assert.Equal(["0", "1", "2"], Describe(recovery.Configurations).Select(found => found.Body));
        recovery.Log!.WriteLogCheckpoint(recovery.Log.Sync());
        Assert.Equal(["1", "2"], Describe(Reopen(bench, recovery.Log).Configurations).Select(found => found.Body));
    }

    private static LogPosition Configure(CommitLog log, string body, int? term = null)
    {
        var tail = log.Tail;
        var next = term is { } given ? new Term(given) : tail.Term;
        var kind = next > tail.Term ? FrameFlags.TermStart : FrameFlags.None;
        var record = RecordEncoder.Encode(
            new RecordFields { Kind = RecordKind.Configuration }, [], [], Encoding.ASCII.GetBytes(body));
        log.Append(
        [
            FrameBuilder.Build(
                tail,
                next,
                tail.LogTime + 1,
                LogPosition.Zero,
                FrameFlags.Configuration | FrameFlags.ControlOnly | kind,
                new NodeId(1),
                [record],
                LogBench.Identity.Seed),
        ]);
        return tail.End;
    }

    private static CommitLogRecovery Reopen(LogBench bench, CommitLog log)
    {
        log.Dispose();
        bench.Disk.LosePower(SectorLoss.All);
        var recovery = bench.Open();
        Assert.Null(recovery.Damage);
        return recovery;
    }

    private static List<(LogPosition Position, string Body)> Describe(IReadOnlyList<LogConfiguration> configurations)
    {
        var described = new List<(LogPosition, string)>();
        foreach (var (position, bytes) in configurations)
        {
            Assert.True(RecordView.TryParseSealed(bytes.Span, position + FrameHeader.Size, out var record, out var fault), fault);
            described.Add((position, Encoding.ASCII.GetString(record.Body)));
        }

        return described;
    }
}
