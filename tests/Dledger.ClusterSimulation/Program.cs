using System.Globalization;
using Dledger.ClusterSimulation.Mutations;
using Dledger.ClusterSimulation.Oracles;
using Dledger.ClusterSimulation.Reports;
using Dledger.ClusterSimulation.Scenarios;

namespace Dledger.ClusterSimulation;

/// <summary>Command line of the simulation of whole nodes; see --help.</summary>
internal static class Program
{
    private const int FailureCountMax = 10;

    private const string Usage = """
        Whole nodes in one thread each run: production code over simulated disks, network and time.
          --seeds N      run N seeds on all cores (1000)
          --start S      the first of them (1)
          --minutes M    run until M minutes have passed instead
          --each N       run as many as it takes for each feature to be in N of them
          --seed S       replay one seed with a trace of everything that happened
          --mutation M   with a seeded defect, such as AckBeforeSync
          --mutations    seed every defect and print what found it, after how many seeds
        """;

    private static int Main(string[] arguments)
    {
        ulong start = 1, count = 1_000, each = 0;
        ulong? seed = null;
        var minutes = double.PositiveInfinity;
        var mutation = Mutation.None;
        if (arguments is ["--mutations"])
        {
            return ProveMutations();
        }

        for (var i = 0; i < arguments.Length; i += 2)
        {
            var value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            var isUnderstood = arguments[i] switch
            {
                "--seed" => TryParse(value, out var number) && (seed = number) is not null,
                "--start" => TryParse(value, out start),
                "--seeds" => TryParse(value, out count),
                "--mutation" => Enum.TryParse(value, out mutation),
                "--each" => TryParse(value, out each) && each is > 0 and <= int.MaxValue,
                "--minutes" => double.TryParse(value, CultureInfo.InvariantCulture, out minutes)
                    && (count = ulong.MaxValue - start) > 0,
                _ => false,
            };
            if (!isUnderstood)
            {
                Console.Error.WriteLine(Usage);
                return arguments[i] == "--help" ? 0 : 2;
            }
        }

        return seed is { } single
            ? Replay(single, new Campaign(mutation))
            : RunMany(each > 0 ? Features.Plan(start, (int)each) : SeedsFrom(start, count), minutes, new Campaign(mutation));
    }

    private static IEnumerable<ulong> SeedsFrom(ulong start, ulong count)
    {
        for (ulong i = 0; i < count; i++)
        {
            yield return start + i;
        }
    }

    private static bool TryParse(string text, out ulong number) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static int ProveMutations()
    {
        var missed = 0;
        MutationProof.All.AsParallel().Select(MutationProof.Judge).ForAll(verdict =>
        {
            if (verdict.Failure is null)
            {
                Interlocked.Increment(ref missed);
            }

            var found = verdict.Failure is { } failure
                ? $"{failure.Invariant,-8} {failure.Message.ReplaceLineEndings(" ")}"
                : "MISSED";
            Console.WriteLine($"{verdict.Mutation,-28} {verdict.Seeds,5} seeds  {(found.Length > 150 ? found[..150] : found)}");
        });

        Console.WriteLine("Not seeded here:");
        foreach (var (number, defect, reason) in MutationProof.NotSeeded)
        {
            Console.WriteLine($"{number,5}  {defect,-52} {reason}");
        }

        return missed == 0 ? 0 : 1;
    }

    private static int Replay(ulong seed, Campaign campaign)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput());
        var result = campaign.Run(seed, output);
        output.WriteLine(result.Failure is null
            ? $"seed {seed}: all invariants held, hash {result.Hash:x16}"
            : $"seed {seed}: {result.Failure.Message}");
        return result.Failure is null ? 0 : 1;
    }

    private static int RunMany(IEnumerable<ulong> seeds, double minutes, Campaign campaign)
    {
        var end = DateTime.UtcNow.AddMinutes(Math.Min(minutes, 1e6));
        var failures = 0;
        using var left = seeds.GetEnumerator();
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(Work)).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Report(campaign, failures);
        return failures == 0 ? 0 : 1;

        bool TryTake(out ulong seed)
        {
            lock (left)
            {
                var isThere = left.MoveNext();
                seed = isThere ? left.Current : 0;
                return isThere;
            }
        }

        void Work()
        {
            while (DateTime.UtcNow < end && Volatile.Read(ref failures) < FailureCountMax && TryTake(out var seed))
            {
                if (campaign.Run(seed).Failure is { } failure)
                {
                    Interlocked.Increment(ref failures);
                    Console.WriteLine($"seed {seed}: {failure.Message}");
                    Console.WriteLine($"  replay: make sim SEED={seed}");
                }
            }
        }
    }

    private static void Report(Campaign campaign, int failures)
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{campaign.RunCount} runs, {campaign.EventCount} events, {campaign.SimulatedTime / 3.6e9:F1} simulated hours, "
            + $"{campaign.AckedCount} acked messages, {failures} failures"));
        foreach (var (name, evaluations) in campaign.Evaluations)
        {
            Console.WriteLine($"  {name,-4} {evaluations,14}  {Checks.Meanings[name]}");
        }

        foreach (var (names, reason) in Checks.NotEvaluated)
        {
            Console.WriteLine($"  not evaluated: {names}: {reason}");
        }

        for (var feature = 0; feature < Features.Count; feature++)
        {
            Console.WriteLine($"  {campaign.RunCountOf(feature),14}  runs with {Features.NameOf(feature)}");
        }

        foreach (var (name, reached) in campaign.Marks.Counts)
        {
            Console.WriteLine($"  {reached,14}  {name}{(reached == 0 ? "   <-- never reached" : "")}");
        }
    }
}
