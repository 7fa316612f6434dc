using System.CommandLine;
using System.Text.Json;
using Dledger.Cli.Output;

namespace Dledger.Cli.Tests;

/// <summary>A command line run inside the test, with streams of its own.</summary>
internal sealed record CommandRun(ExitCode ExitCode, string Output, string Error)
{
    public static Task<CommandRun> OfAsync(params string[] arguments) => OfAsync("", [], arguments);

    public static async Task<CommandRun> OfAsync(
        string input, Dictionary<string, string> variables, IReadOnlyList<string> arguments)
    {
        var output = new StringWriter { NewLine = "\n" };
        var error = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal(output, error, new StringReader(input), variables, IsColoured: false);
        var exitCode = await CommandLine.RunAsync(arguments, terminal);
        return new CommandRun(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>The answer for programs of a command that did what it should.</summary>
    public JsonElement Json()
    {
        Assert.True(ExitCode == ExitCode.Ok, Error);
        return JsonDocument.Parse(Output).RootElement;
    }

    /// <summary>Everything that a golden file holds: the command, the exit code and both streams.</summary>
    /// <param name="command">The command line as a person writes it.</param>
    /// <param name="secrets">Texts that differ from run to run, and what stands for them.</param>
    public string Describe(string command, params (string Text, string Name)[] secrets)
    {
        var text = $"{$"$ dledger {command}".TrimEnd()}\n{Output}";
        text += Error.Length == 0 ? "" : $"--- stderr\n{Error}";
        text += $"--- exit code {(int)ExitCode} {ExitCode}\n";
        text = text.Replace(RootCommand.ExecutableName, "dledger", StringComparison.Ordinal);
        return secrets.Aggregate(text, (all, secret) => all.Replace(secret.Text, secret.Name, StringComparison.Ordinal));
    }
}
