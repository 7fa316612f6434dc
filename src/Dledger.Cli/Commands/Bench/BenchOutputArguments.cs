using System.CommandLine;
using Dledger.Bench.Reports;
using Dledger.Cli.Output;

namespace Dledger.Cli.Commands.Bench;

/// <summary>Where the report of a benchmark goes, besides the output.</summary>
internal sealed class BenchOutputArguments
{
    private readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "Write the whole report as JSON into this file, too.",
        HelpName = "file",
    };

    private readonly Option<string?> _append = new("--append")
    {
        Description = "Append the report as a section to this Markdown document.",
        HelpName = "file",
    };

    private BenchOutputArguments()
    {
    }

    /// <summary>Adds the options to a command.</summary>
    public static BenchOutputArguments AddTo(Command command)
    {
        var arguments = new BenchOutputArguments();
        command.Options.Add(arguments._output);
        command.Options.Add(arguments._append);
        return arguments;
    }

    /// <summary>The command as it was typed, so that it can be typed again.</summary>
    public string CommandLine(ParseResult result) =>
        string.Join(' ', result.Tokens.Select(token => token.Value.Contains(' ') ? $"'{token.Value}'" : token.Value).Prepend("dledger"));

    /// <summary>A run of minutes shall not end with a file that cannot be written.</summary>
    public void Check(ParseResult result)
    {
        foreach (var file in new[] { result.GetValue(_output), result.GetValue(_append) })
        {
            if (file is not null && Path.GetDirectoryName(file) is { Length: > 0 } folder && !Directory.Exists(folder))
            {
                throw new UsageException($"There is no directory '{folder}' for '{file}'.");
            }
        }
    }

    /// <param name="terminal">Gets the table, or the JSON.</param>
    /// <param name="result">The command line.</param>
    /// <param name="report">Of one workload.</param>
    /// <param name="isJson">The output is for a program.</param>
    /// <param name="isFirst">Of this command: a file of JSON begins anew, and gets a line for each report.</param>
    public void Write(Terminal terminal, ParseResult result, BenchReport report, bool isJson, bool isFirst)
    {
        if (result.GetValue(_output) is { } output)
        {
            using var file = new StreamWriter(output, append: !isFirst);
            JsonText.Write(file, report);
        }

        if (result.GetValue(_append) is { } document)
        {
            File.AppendAllText(document, MarkdownSection.Of(report));
        }

        if (isJson)
        {
            JsonText.Write(terminal.Output, report);
            return;
        }

        if (!isFirst)
        {
            terminal.Output.WriteLine();
        }

        foreach (var line in BenchTable.Origin(report))
        {
            terminal.Output.WriteLine(line);
        }

        terminal.WriteTable(BenchTable.Headings, BenchTable.Rows(report));
        foreach (var line in BenchTable.Remarks(report))
        {
            terminal.Output.WriteLine(line);
        }
    }
}
