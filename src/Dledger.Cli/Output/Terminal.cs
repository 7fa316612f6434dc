using Spectre.Console;

namespace Dledger.Cli.Output;

/// <summary>Where a command reads and writes: answers on the output, faults and progress on the error stream.</summary>
/// <param name="Output">Answers only, so that they can be piped.</param>
/// <param name="Error">Faults, each with the next step, and progress.</param>
/// <param name="Input">Lines to be sent.</param>
/// <param name="Variables">The environment.</param>
/// <param name="IsColoured">The output is a terminal that knows colours.</param>
internal sealed record Terminal(
    TextWriter Output,
    TextWriter Error,
    TextReader Input,
    IReadOnlyDictionary<string, string> Variables,
    bool IsColoured)
{
    private const int PlainWidth = 1_000;

    /// <summary>Columns of the error stream when it is a terminal, on which a line can be written over; else 0.</summary>
    public int ErrorWidth { get; init; }

    /// <summary>The streams and the environment of this process.</summary>
    public static Terminal OfProcess() => new(
        Console.Out,
        Console.Error,
        Console.In,
        Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? ""),
        !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi)
    {
        ErrorWidth = Console.IsErrorRedirected ? 0 : Math.Max(Console.WindowWidth, 0),
    };

    /// <summary>Says what went wrong.</summary>
    public void Fault(string message) => Error.WriteLine($"dledger: {message}");

    /// <summary>Says what to do next; an empty text is left out.</summary>
    public void Advise(string advice)
    {
        if (advice.Length > 0)
        {
            Error.WriteLine($"  {advice}");
        }
    }

    /// <summary>Writes rows under headings: coloured on a terminal, else plain text without trailing blanks.</summary>
    public void WriteTable(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = IsColoured ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = IsColoured ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = PlainWidth;
        var table = new Table().Border(TableBorder.None);
        foreach (var (heading, index) in headings.Select((heading, index) => (heading, index)))
        {
            table.AddColumn(new TableColumn($"[bold]{Markup.Escape(heading)}[/]").NoWrap()
                .PadLeft(0).PadRight(index == headings.Count - 1 ? 0 : 2));
        }

        foreach (var row in rows)
        {
            table.AddRow(row.Select(Markup.Escape).ToArray());
        }

        console.Write(table);
        foreach (var line in text.ToString().TrimEnd().Split('\n'))
        {
            Output.WriteLine(line.TrimEnd());
        }
    }
}
