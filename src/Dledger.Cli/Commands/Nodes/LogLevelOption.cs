using System.CommandLine;
using Microsoft.Extensions.Logging;

namespace Dledger.Cli.Commands.Nodes;

/// <summary><c>--log-level</c> of the commands that run a node.</summary>
internal static class LogLevelOption
{
    public static Option<LogLevel> Create(LogLevel usual) => new("--log-level")
    {
        Description = "The least level that is logged: Trace, Debug, Information, Warning, Error.",
        DefaultValueFactory = _ => usual,
        HelpName = "level",
    };
}
