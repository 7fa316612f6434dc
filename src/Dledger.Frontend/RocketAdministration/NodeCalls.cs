using Grpc.Core;
using Microsoft.Extensions.Logging;
using Level = Apache.Rocketmq.V2.ChangeLogLevelRequest.Types.Level;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>What is about the node that was asked, whoever leads.</summary>
internal sealed class NodeCalls(FrontendOptions options, ILogger logger)
{
    /// <exception cref="RpcException">The level does not exist, or this process cannot change it: the answer has no status.</exception>
    public Wire.ChangeLogLevelResponse ChangeLogLevel(Wire.ChangeLogLevelRequest request)
    {
        LogLevel? asked = request.Level switch
        {
            Level.Trace => LogLevel.Trace,
            Level.Debug => LogLevel.Debug,
            Level.Info => LogLevel.Information,
            Level.Warn => LogLevel.Warning,
            Level.Error => LogLevel.Error,
            _ => null,
        };
        if (asked is not { } level)
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument,
                $"the field 'level' is {(int)request.Level}; 0 (TRACE), 1 (DEBUG), 2 (INFO), 3 (WARN) and 4 (ERROR) are allowed"));
        }

        if (options.LogLevels is not { } levels)
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition,
                "the program that runs this node decides what is logged; start the node with 'dledger serve' to change it here"));
        }

        var before = levels.Least;
        levels.Least = level;
        FrontendEvents.LogLevelChanged(logger, before, level);
        return new Wire.ChangeLogLevelResponse
        {
            Remark = $"node {options.Self} logs from {level} on; it was {before}, and is again after a restart",
        };
    }
}
