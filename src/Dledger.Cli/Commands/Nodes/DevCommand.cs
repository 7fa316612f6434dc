using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Server.Options;
using Microsoft.Extensions.Logging;

namespace Dledger.Cli.Commands.Nodes;

/// <summary><c>dledger dev</c>: one node without any configuration, for this machine only.</summary>
internal static class DevCommand
{
    private const string DefaultDirectory = ".dledger";
    private const string Loopback = "127.0.0.1";
    private const string SampleTopic = "greetings";

    public static Command Create(Terminal terminal)
    {
        var data = new Option<string>("--data", "-d")
        {
            Description = "Where the node keeps everything.",
            DefaultValueFactory = _ => DefaultDirectory,
            HelpName = "directory",
        };
        var port = new Option<int>("--port", "-p")
        {
            Description = "Port for clients; 0: a free one.",
            DefaultValueFactory = _ => 8081,
        };
        var level = LogLevelOption.Create(LogLevel.Warning);
        var command = new Command("dev", "Run one node on this machine, without configuration. Topics and groups make themselves.")
        {
            data, port, level,
        };
        command.SetAction((result, cancellationToken) => FaultReport.GuardAsync(terminal, () =>
        {
            var overrides = new Dictionary<string, string>
            {
                ["dataDirectory"] = result.GetValue(data)!,
                ["client.listenAddress"] = Loopback,
                ["client.advertisedHost"] = Loopback,
                ["client.port"] = result.GetValue(port).ToString(CultureInfo.InvariantCulture),
                ["topics.autoCreate"] = "true",
                ["topics.autoCreateGroups"] = "true",
                ["storage.segmentSize"] = "64MiB",
            };
            var options = ServerOptionsReader.Load(null, terminal.Variables, overrides);
            return NodeRun.RunAsync(
                terminal,
                options,
                result.GetValue(level),
                server => Welcome(terminal, server.ClientPort, Path.GetFullPath(options.DataDirectory)),
                cancellationToken);
        }));
        return command;
    }

    private static void Welcome(Terminal terminal, int port, string directory)
    {
        var program = ProgramName.ForPasting(terminal.Variables);
        var address = port == 8081 ? "" : $" --address {Loopback}:{port}";
        terminal.Output.WriteLine($"""
            Dledger is ready: RocketMQ 5 clients connect to {Loopback}:{port}. Data in {directory}.

            The first message, from another terminal:
              {program} produce {SampleTopic} "hello"{address}
              {program} consume {SampleTopic} --until-empty{address}

            Ctrl+C stops the node; its data stays.
            """);
        terminal.Output.Flush();
    }
}
