using System.Globalization;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Faults;
using Dledger.Chaos.Features;
using Dledger.Chaos.Histories;
using Dledger.Chaos.Reports;
using Dledger.Chaos.Trials;

namespace Dledger.Chaos;

/// <summary>Reads the arguments, runs, and turns the verdict into an exit code.</summary>
internal static class CommandLine
{
    private const int Held = 0;
    private const int Broken = 1;
    private const int CannotRun = 2;
    private const int Void = 3;
    private const int Interrupted = 130;

    private const string Usage =
        """
        dledger-chaos run         [--seed n] [--minutes n] [--faults a,b] [--nodes 3|5] [--mode QUORUM_SYNC|QUORUM_ASYNC] [--rate n]
        dledger-chaos gaps        [--kills n] [--seed n]
        dledger-chaos power-loss  [--rounds n] [--mode ...] [--seed n]
        dledger-chaos io-errors   [--rounds n] [--mode ...] [--seed n]
        dledger-chaos large-log   [--gib n] [--nodes 1|3|5]
        dledger-chaos catch-up    [--gib n]
        dledger-chaos timers      [--count n] [--pending n] [--nodes 1|3|5]
        dledger-chaos features    [--rounds n] [--features a,b] [--seed n]
        dledger-chaos check FILE
        dledger-chaos faults
        exit codes: 0 everything held, 1 broken or a target missed, 2 could not run, 3 void, 130 interrupted
        """;

    private static readonly string[] FlagNames =
        ["seed", "minutes", "faults", "nodes", "mode", "rate", "kills", "rounds", "output", "gib", "features", "count", "pending"];

    public static async Task<int> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        try
        {
            var flags = Flags(arguments is ["check", ..] ? [] : arguments.Skip(1));
            switch (arguments.FirstOrDefault())
            {
                case "run":
                    return await RunAsync(Options(flags, flags.GetValueOrDefault("faults")), cancellationToken);
                case "gaps":
                    var kills = Number(flags, "kills", 100);
                    return await RunAsync(
                        Options(flags, Gaps(kills)) with
                        {
                            Rounds = 2 * kills,
                            Rest = (TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(2.5)),
                            HoldMax = TimeSpan.FromSeconds(3),
                        },
                        cancellationToken);
                case "power-loss":
                    return await RunAsync(
                        Options(flags, "power-one,power-leader,power-majority,power-all,power-after-ack") with
                        {
                            Rounds = Number(flags, "rounds", 100),
                            Rest = (TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(3)),
                        },
                        cancellationToken);
                case "io-errors":
                    var roles = FaultCatalogue.All.Where(kind => kind.Code is "F10" or "F11").Select(kind => kind.Name);
                    return await RunAsync(
                        Options(flags, string.Join(',', roles)) with
                        {
                            Rounds = Number(flags, "rounds", 12),
                            Rest = (TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4)),
                        },
                        cancellationToken);
                case "large-log":
                    var large = Trial(flags, nodes: 1);
                    return Tell(await LargeLogTrial.RunAsync(large, Gibibytes(flags, 10), cancellationToken));
                case "catch-up":
                    var behind = Trial(flags, nodes: 3);
                    return Tell(await CatchUpTrial.RunAsync(behind, Gibibytes(flags, 2), cancellationToken));
                case "timers":
                    return Tell(await TimerTrial.RunAsync(
                        Trial(flags, nodes: 3), Count(flags, "count", 1_000_000), Count(flags, "pending", 10_000_000), cancellationToken));
                case "features":
                    return Tell(await FeatureTrial.RunAsync(
                        Trial(flags, nodes: 3),
                        FeatureCatalogue.Named(flags.GetValueOrDefault("features")),
                        Number(flags, "rounds", 20),
                        cancellationToken));
                case "check" when arguments.Length == 2:
                    return Tell(ReportBuilder.Build(History.Parse(File.ReadLines(arguments[1]))));
                case "faults":
                    return ListFaults();
                default:
                    Console.Error.WriteLine(Usage);
                    return CannotRun;
            }
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("interrupted; everything is cleaned up");
            return Interrupted;
        }
        catch (Exception exception) when (exception is ChaosException or IOException)
        {
            Console.Error.WriteLine(exception.Message);
            return CannotRun;
        }
    }

    // Of four rounds two kill the leader, one freezes it and one hands over.
    private static string Gaps(int kills) => string.Join(
        ',', Enumerable.Repeat("kill-leader,freeze-leader,kill-leader,transfer", (kills + 1) / 2));

    private static async Task<int> RunAsync(ChaosOptions options, CancellationToken cancellationToken)
    {
        if (options.Faults.Count == 0)
        {
            throw new ChaosException(
                $"none of the faults can run here: {string.Join("; ", options.NotRun.Select(pair => $"{pair.Key}: {pair.Value}"))}");
        }

        Console.WriteLine($"seed {options.Seed}; output in {options.OutputDirectory}");
        return Tell(await ChaosRun.ExecuteAsync(options, cancellationToken));
    }

    private static int Tell(ChaosReport report)
    {
        ReportTable.Write(report, Console.Out);
        return report.Verdict.Word switch
        {
            "held" => Held,
            "void" => Void,
            _ => Broken,
        };
    }

    private static int Tell(TrialTable table)
    {
        table.Write(Console.Out);
        return table.IsMet ? Held : Broken;
    }

    // The product's own segment size: what is measured is what users have.
    private static ChaosOptions Trial(Dictionary<string, string> flags, int nodes) => Options(flags, "kill-leader") with
    {
        NodeCount = Number(flags, "nodes", nodes),
        Storage = new Dictionary<string, string>(),
    };

    private static long Gibibytes(Dictionary<string, string> flags, double standard) =>
        !flags.TryGetValue("gib", out var text) ? (long)(standard * (1L << 30))
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var gib) && gib is > 0 and <= 1024
            ? (long)(gib * (1L << 30))
            : throw new ChaosException($"--gib {text}: not a number above 0 and up to 1024");

    private static int Count(Dictionary<string, string> flags, string name, int standard)
    {
        var number = Number(flags, name, standard);
        return number is >= 1 and <= 100_000_000
            ? number
            : throw new ChaosException($"--{name} {number}: not a number from 1 to 100000000");
    }

    private static int ListFaults()
    {
        foreach (var kind in FaultCatalogue.All)
        {
            Console.WriteLine($"{kind.Name,-26}{kind.Code,-5}{kind.Needs.WhyNot(5) ?? "can run here"}");
        }

        return Held;
    }

    private static ChaosOptions Options(Dictionary<string, string> flags, string? names)
    {
        var seed = Number(flags, "seed", Environment.TickCount & 0xffffff);
        var nodes = Number(flags, "nodes", 3);
        var asked = string.IsNullOrEmpty(names)
            ? [.. FaultCatalogue.All.Where(kind => kind.IsInMix)]
            : FaultCatalogue.Named(names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        var notRun = asked.Distinct().Select(kind => (kind.Name, Reason: kind.Needs.WhyNot(nodes)))
            .Where(kind => kind.Reason is not null).ToDictionary(kind => kind.Name, kind => kind.Reason!);
        return new ChaosOptions
        {
            Seed = seed,
            NodeCount = nodes,
            FlushMode = flags.GetValueOrDefault("mode", "QUORUM_SYNC"),
            Rate = Number(flags, "rate", 250),
            Duration = TimeSpan.FromMinutes(double.Parse(flags.GetValueOrDefault("minutes", "10"), CultureInfo.InvariantCulture)),
            Faults = [.. asked.Where(kind => !notRun.ContainsKey(kind.Name))],
            NotRun = notRun,
            Binary = BrokerBinary.Find(),
            OutputDirectory = Path.GetFullPath(flags.GetValueOrDefault(
                "output", Path.Combine("artifacts", "chaos", $"{DateTime.UtcNow:yyyyMMdd-HHmmss}-{seed}"))),
            Progress = Console.Out,
        };
    }

    private static int Number(Dictionary<string, string> flags, string name, int standard) =>
        !flags.TryGetValue(name, out var text) ? standard
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new ChaosException($"--{name} {text}: not a number");

    private static Dictionary<string, string> Flags(IEnumerable<string> arguments)
    {
        var flags = new Dictionary<string, string>();
        string? name = null;
        foreach (var argument in arguments)
        {
            if (name is not null)
            {
                (flags[name], name) = (argument, null);
            }
            else if (argument.StartsWith("--", StringComparison.Ordinal) && FlagNames.Contains(argument[2..]))
            {
                name = argument[2..];
            }
            else
            {
                throw new ChaosException($"'{argument}' is none of {string.Join(", ", FlagNames.Select(known => $"--{known}"))}\n{Usage}");
            }
        }

        return name is null ? flags : throw new ChaosException($"--{name} needs a value\n{Usage}");
    }
}
