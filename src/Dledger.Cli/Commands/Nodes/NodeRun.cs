using Dledger.Cli.Output;
using Dledger.Frontend;
using Dledger.Replication;
using Dledger.Server;
using Dledger.Server.Options;
using Microsoft.Extensions.Logging;

namespace Dledger.Cli.Commands.Nodes;

/// <summary>One node for the time of a command: started, watched, stopped in good order.</summary>
internal static class NodeRun
{
    /// <summary>Runs until the token is cancelled (Ctrl+C, SIGTERM) or the node cannot go on.</summary>
    /// <param name="terminal">Log lines go to its error stream.</param>
    /// <param name="options">Valid.</param>
    /// <param name="level">The least log level that is shown.</param>
    /// <param name="started">Called when clients can connect.</param>
    /// <param name="cancellationToken">Asks for a stop: leadership is handed over, calls under way end.</param>
    public static async Task<ExitCode> RunAsync(
        Terminal terminal,
        ServerOptions options,
        LogLevel level,
        Action<DledgerServer> started,
        CancellationToken cancellationToken)
    {
        // What is below the level is dropped by a filter that can be turned, not by the factory.
        var levels = new LogLevels(level);
        using var loggers = LoggerFactory.Create(logging => logging
            .SetMinimumLevel(LogLevel.Trace)
            .AddFilter(levels.Allows)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddProvider(new TerminalLoggerProvider(terminal.Error, TimeProvider.System)));
        DledgerServer server;
        try
        {
            server = await DledgerServer.StartAsync(options, loggers, levels, TimeProvider.System, cancellationToken);
        }
        catch (DataDirectoryException exception)
        {
            terminal.Fault($"{Path.GetFullPath(options.DataDirectory)}: {exception.Message}");
            terminal.Advise("Each node needs a data directory of its own: --data, or the option dataDirectory.");
            return ExitCode.Refused;
        }

        await using (server)
        {
            started(server);
            var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = cancellationToken.Register(stop.SetResult);
            await Task.WhenAny(server.Completion, stop.Task);
            if (!server.Completion.IsCompleted)
            {
                await server.StopAsync();
            }

            var exit = await server.Completion;
            if (!exit.IsFault)
            {
                return ExitCode.Ok;
            }

            terminal.Fault($"The node stopped: {exit.Reason}");
            return ExitCode.NodeFault;
        }
    }
}
