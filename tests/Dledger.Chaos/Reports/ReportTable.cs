using System.Globalization;

namespace Dledger.Chaos.Reports;

/// <summary>The report as text.</summary>
internal static class ReportTable
{
    public static void Write(ChaosReport report, TextWriter output)
    {
        output.WriteLine();
        Line(output, $"seed {report.Seed}, {report.Nodes} nodes, {report.Mode}, {report.Seconds:0} s");
        output.WriteLine();
        Line(output, $"{"fault",-26}{"",-5}{"injected",9}{"bit",5}{"gap p50 ms",12}{"p99",9}{"max",9}{"whole max",11}");
        foreach (var fault in report.Faults)
        {
            if (fault.NotRun is { } reason)
            {
                Line(output, $"{fault.Kind,-26}{fault.Code,-5}not run: {reason}");
            }
            else
            {
                Line(output, $"{fault.Kind,-26}{fault.Code,-5}{fault.Injected,9}{fault.Bit,5}{fault.GapP50,12:0}{fault.GapP99,9:0}"
                    + $"{fault.GapMax,9:0}{fault.WholeMaxMilliseconds,11:0}");
            }
        }

        output.WriteLine();
        Line(output, $"{"operation",-22}{"ok",10}{"fail",10}{"info",10}");
        foreach (var (function, phases) in report.Operations)
        {
            Line(output, $"{function,-22}{phases.GetValueOrDefault("ok"),10}{phases.GetValueOrDefault("fail"),10}"
                + $"{phases.GetValueOrDefault("info"),10}");
        }

        output.WriteLine();
        foreach (var (name, value) in Figures(report))
        {
            Line(output, $"{name,-32}{value}");
        }

        output.WriteLine();
        foreach (var finding in report.Verdict.Findings)
        {
            Line(output, $"BROKEN {finding.Id} {finding.Name}: {finding.Count}");
            foreach (var example in finding.Examples)
            {
                output.WriteLine($"    {example}");
            }
        }

        foreach (var reason in report.Verdict.Voids)
        {
            output.WriteLine($"VOID {reason}");
        }

        output.WriteLine($"verdict: {report.Verdict.Word}");
    }

    private static IEnumerable<(string Name, string Value)> Figures(ChaosReport report)
    {
        yield return ("acked", Text(report.Acked));
        yield return ("lost", Text(report.Lost) + (report.Verdict.Forgiven > 0 ? " (as the flush mode allows)" : ""));
        yield return ("phantom", Text(report.Phantom));
        yield return ("out of order", Text(report.OutOfOrder));
        yield return ("stored again by a client's retry", Text(report.StoredAgain));
        yield return ("early or by a stale handle", Text(report.Early));
        yield return ("stale acks refused", Text(report.StaleAcksRefused));
        yield return ("redeliveries", Text(report.Redeliveries));
        yield return ("late by ms, p50 p99 max", string.Join(' ', report.RedeliveryLateness.Select(late => Text((int)late))));
        yield return ("dead letters", Text(report.DeadLetters));
        yield return ("leader changes", Text(report.LeaderChanges));
        yield return ("longest calm gap ms", Text((int)report.CalmGapMax));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static void Line(TextWriter output, string line) => output.WriteLine(line.TrimEnd());
}
