using System.Globalization;
using Dledger.Raft;
using Dledger.Simulation.Invariants;
using Dledger.Simulation.Reports;

namespace Dledger.Simulation;

/// <summary>
/// <c>--seeds N --start S</c> runs a campaign; <c>--seed S</c> replays one run with a trace; <c>--defect NAME</c> seeds a defect,
/// <c>--only outcomes</c> judges by the damage alone. <c>--mutations N</c> seeds each known defect in turn, for at most N runs, and
/// prints what found it.
/// Exit code 0: all held, or every defect was found; 1: an invariant broke, or a defect was missed; 2: wrong arguments.
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        ulong? seed = null;
        ulong start = 1;
        ulong count = 1000;
        var defect = SeededDefect.None;
        IReadOnlySet<string>? only = null;
        ulong mutations = 0;
        for (var i = 0; i < arguments.Length; i += 2)
        {
            var value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            var isUnderstood = arguments[i] switch
            {
                "--seed" => TryParse(value, out var number) && (seed = number) is not null,
                "--start" => TryParse(value, out start),
                "--seeds" => TryParse(value, out count),
                "--mutations" => TryParse(value, out mutations) && mutations > 0,
                "--defect" => Enum.TryParse(value, out defect),
                "--only" => (only = value == "outcomes" ? Checks.Outcomes : new HashSet<string>(value.Split(','))).Count > 0,
                _ => false,
            };
            if (!isUnderstood)
            {
                Console.Error.WriteLine($"cannot use '{arguments[i]} {value}'");
                Console.Error.WriteLine("usage: [--seeds N] [--start S] | --seed S | --mutations N [--start S]   [--defect NAME] [--only outcomes|I1,I4,...]");
                return 2;
            }
        }

        if (mutations > 0)
        {
            return Mutations.Print(Console.Out, start, mutations, only) ? 0 : 1;
        }

        return seed is { } single ? Replay(single, defect, only) : RunMany(start, count, defect, only);
    }

    private static bool TryParse(string text, out ulong number) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static int Replay(ulong seed, SeededDefect defect, IReadOnlySet<string>? only)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput());
        var result = new Campaign(defect, only).Run(seed, output);
        output.WriteLine(result.Failure is null ? $"seed {seed}: all invariants held, hash {result.Hash:x16}" : $"seed {seed}: {result.Failure.Message}");
        return result.Failure is null ? 0 : 1;
    }

    private static int RunMany(ulong start, ulong count, SeededDefect defect, IReadOnlySet<string>? only)
    {
        var campaign = new Campaign(defect, only);
        var failures = 0;
        for (var seed = start; seed < start + count && failures < 10; seed++)
        {
            var result = campaign.Run(seed);
            if (result.Failure is not null)
            {
                failures++;
                Console.WriteLine($"seed {seed}: {result.Failure.Message}");
                var switches = defect == SeededDefect.None ? "" : $" --defect {defect}";
                Console.WriteLine($"  replay: dotnet run --project tests/Dledger.Simulation -- --seed {seed}{switches}");
            }
        }

        Console.WriteLine(
            $"{campaign.RunCount} runs, {campaign.EventCount} events, {campaign.SimulatedTime / 1_000_000} simulated seconds, "
            + $"{campaign.AcknowledgedCount} acknowledged proposals, {failures} failures");
        foreach (var (name, evaluations) in campaign.Evaluations)
        {
            Console.WriteLine($"  {name,-4} {evaluations,14}  {Checks.Meanings[name]}");
        }

        foreach (var (name, reached) in campaign.Marks.Counts)
        {
            Console.WriteLine($"  {reached,14}  {name}{(reached == 0 ? "   <-- never reached" : "")}");
        }

        return failures == 0 ? 0 : 1;
    }
}
