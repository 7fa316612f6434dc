using System.Diagnostics;
using Dledger.Bench.Machines;
using Dledger.Bench.Running;
using Dledger.Chaos.Machines;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>Gives all systems their turns, round by round, each round from the other end.</summary>
internal sealed class Comparison(ComparisonOptions options, Undertaker undertaker, TextWriter progress)
{
    private readonly List<Measurement> _measurements = [];
    private readonly List<Absence> _absences = [];
    private readonly List<SyncEvidence> _syncs = [];

    /// <summary>Runs to the end. An interrupted run has no result.</summary>
    public async Task<ComparisonResult> RunAsync(CancellationToken cancellationToken)
    {
        var begin = Stopwatch.GetTimestamp();
        var machine = MachineDescription.Read(TimeProvider.System);
        var commit = await CommitAsync();
        var (present, absent) = await new Contestants(options.Executable, commit, undertaker).FindAsync();
        Contestant[] contestants = [.. present.Where(one => IsChosen(options.Only, one.Key))];
        _absences.AddRange(absent.Where(one => IsChosen(options.Only, one.System)));
        ContestRow[] rows = [.. ContestRow.All.Where(row => IsChosen(options.Rows, row.Key))];
        using var clock = new PacingClock();
        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var contestant in round % 2 == 1 ? contestants : contestants.Reverse())
            {
                await progress.WriteLineAsync($"round {round} of {options.Rounds}: {contestant.Title}");
                var turn = new Turn(contestant, round, options, clock, undertaker);
                await turn.RunAsync(rows, probes: round == 1, progress, cancellationToken);
                _measurements.AddRange(turn.Measurements);
                _absences.AddRange(turn.Absences);
                _syncs.AddRange(turn.Syncs is { } syncs ? [syncs] : []);
            }
        }

        return new ComparisonResult
        {
            Machine = machine,
            Commit = commit,
            Command = CommandOf(options),
            Rounds = options.Rounds,
            SecondsOfRow = options.Duration.TotalSeconds,
            BodyBytes = options.BodyBytes,
            Seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds,
            Systems = [.. contestants.Select(ComparedSystem.Of)],
            Measurements = _measurements,
            Absences = _absences,
            Syncs = _syncs,
        };
    }

    /// <summary>The <c>make</c> command of these options.</summary>
    public static string CommandOf(ComparisonOptions options)
    {
        var usual = new ComparisonOptions { Executable = options.Executable };
        string?[] parts =
        [
            "make bench-peers",
            options.Duration == usual.Duration ? null : $"SECONDS={options.Duration.TotalSeconds:0}",
            options.WarmUp == usual.WarmUp ? null : $"WARM_UP={options.WarmUp.TotalSeconds:0}",
            options.Rounds == usual.Rounds ? null : $"ROUNDS={options.Rounds}",
            options.BodyBytes == usual.BodyBytes ? null : $"BODY={options.BodyBytes}",
            options.Only.Count == 0 ? null : $"ONLY={string.Join(',', options.Only)}",
            options.Rows.Count == 0 ? null : $"ROWS={string.Join(',', options.Rows)}",
        ];
        return string.Join(' ', parts.OfType<string>());
    }

    private static bool IsChosen(IReadOnlyList<string> chosen, string key) => chosen.Count == 0 || chosen.Contains(key);

    private static async Task<string> CommitAsync()
    {
        var head = await Command.TryAsync("git", "rev-parse", "--short=12", "HEAD");
        var changes = await Command.TryAsync("git", "status", "--porcelain", "--untracked-files=no");
        return head.ExitCode != 0 ? "unknown" : head.Output.Trim() + (changes.Output.Trim().Length > 0 ? " with changes" : "");
    }
}
