using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Server.Options;
using Microsoft.Extensions.Logging;

namespace Dledger.Cli.Commands.Nodes;

/// <summary><c>dledger serve</c>: one node of a cluster, configured by file, environment and command line.</summary>
internal static class ServeCommand
{
    public static Command Create(Terminal terminal)
    {
        var config = new Option<string?>("--config", "-c") { Description = "JSON file with the options.", HelpName = "file" };
        var set = new Option<string[]>("--set", "-s")
        {
            Description = "One option, stronger than file and environment; may be given several times.",
            HelpName = "key=value",
        };
        var level = LogLevelOption.Create(LogLevel.Information);
        var command = new Command(
            "serve",
            "Run a node. Options come from the file, then from variables such as DLEDGER__CLIENT__PORT, then from --set.")
        {
            config, set, level,
        };
        command.SetAction((result, cancellationToken) => FaultReport.GuardAsync(terminal, () =>
        {
            var file = result.GetValue(config);
            if (file is not null && !File.Exists(file))
            {
                throw new UsageException($"The configuration file '{file}' does not exist.");
            }

            var options = ServerOptionsReader.Load(file, terminal.Variables, ParsePairs(result.GetValue(set) ?? []));
            return NodeRun.RunAsync(
                terminal,
                options,
                result.GetValue(level),
                server => terminal.Error.WriteLine(
                    $"node {options.NodeId} takes clients on port {server.ClientPort}, data in {Path.GetFullPath(options.DataDirectory)}"),
                cancellationToken);
        }));
        return command;
    }

    private static Dictionary<string, string> ParsePairs(string[] pairs)
    {
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var pair in pairs)
        {
            var parts = pair.Split('=', 2);
            if (parts.Length < 2)
            {
                throw new UsageException($"--set '{pair}' is not key=value.", "Write --set client.port=8081");
            }

            values[parts[0].Trim()] = parts[1];
        }

        return values;
    }
}
