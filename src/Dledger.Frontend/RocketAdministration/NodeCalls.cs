using Dledger.Frontend.Messaging;
using Dledger.Frontend.Messaging.Clients;
using Dledger.Protocol.Node.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Level = Apache.Rocketmq.V2.ChangeLogLevelRequest.Types.Level;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>What is about the node that was asked, whoever leads.</summary>
internal sealed class NodeCalls(FrontendOptions options, ConnectedClients clients, TrafficMeter incoming, TrafficMeter outgoing, ILogger logger)
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

    /// <summary>Of this node alone. A connection is an open telemetry stream: plain calls come and go.</summary>
    public Wire.GetProxyRuntimeStatsResponse Stats()
    {
        var connected = clients.List("", "");
        return new Wire.GetProxyRuntimeStatsResponse
        {
            Status = StatusMapping.Ok,
            ProxyName = $"{options.GroupName}-node-{options.Self}",
            Version = typeof(NodeCalls).Assembly.GetName().Version?.ToString(3) ?? "",
            InTps = incoming.PerSecond,
            OutTps = outgoing.PerSecond,
            Connections = connected.Count,
            Producers = CountOf(connected, Wire.Settings.PubSubOneofCase.Publishing),
            Consumers = CountOf(connected, Wire.Settings.PubSubOneofCase.Subscription),
        };
    }

    // A client may have several streams.
    private static int CountOf(IReadOnlyList<ConnectedClient> connected, Wire.Settings.PubSubOneofCase role) => connected
        .Where(client => client.Settings.PubSubCase == role)
        .DistinctBy(client => client.ClientId, StringComparer.Ordinal)
        .Count();
}
