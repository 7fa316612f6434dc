using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Connections;

namespace Dledger.Cli.Commands;

/// <summary>Gives a command its client options and its guarded action.</summary>
internal static class ClientCommand
{
    /// <summary>The work of a command that talks to a cluster.</summary>
    /// <param name="channel">Open for the time of the command.</param>
    /// <param name="result">The parsed command line.</param>
    /// <param name="isJson">The answer is for a program.</param>
    /// <param name="cancellationToken">Ctrl+C or the end of the process.</param>
    public delegate Task<ExitCode> Work(
        DledgerChannel channel, ParseResult result, bool isJson, CancellationToken cancellationToken);

    public static Command Serving(this Command command, Terminal terminal, Work work)
    {
        var arguments = ClientArguments.AddTo(command);
        command.SetAction((result, cancellationToken) => FaultReport.GuardAsync(terminal, async () =>
        {
            await using var channel = arguments.Open(result, terminal);
            return await work(channel, result, arguments.IsJson(result), cancellationToken);
        }));
        return command;
    }
}
