using Dledger.Primitives;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend;

/// <summary>Log events of the front end; ids 4000 to 4999, never reused. Never a body, a property value or a
/// credential.
/// </summary>
internal static partial class FrontendEvents
{
    [LoggerMessage(4001, LogLevel.Error, "{Method} failed unexpectedly for client {ClientId}",
        EventName = "CallFailed")]
    public static partial void CallFailed(ILogger logger, Exception exception, string method, string clientId);

    [LoggerMessage(4002, LogLevel.Debug, "{Method} could not be forwarded to node {NodeId}: {Detail}",
        EventName = "ForwardFailed")]
    public static partial void ForwardFailed(ILogger logger, string method, NodeId nodeId, string detail);

    [LoggerMessage(4003, LogLevel.Warning, "{Method} found no leader within {Waited}", EventName = "NoLeader")]
    public static partial void NoLeader(ILogger logger, string method, TimeSpan waited);

    [LoggerMessage(4004, LogLevel.Debug, "Telemetry of client {ClientId} opened as {ClientType}",
        EventName = "TelemetryOpened")]
    public static partial void TelemetryOpened(
        ILogger logger, string clientId, Apache.Rocketmq.V2.ClientType clientType);

    [LoggerMessage(4005, LogLevel.Debug, "Telemetry of client {ClientId} ended", EventName = "TelemetryEnded")]
    public static partial void TelemetryEnded(ILogger logger, string clientId);

    [LoggerMessage(4006, LogLevel.Information, "Draining: ending {Count} telemetry streams and waiting receives",
        EventName = "Draining")]
    public static partial void Draining(ILogger logger, int count);

    [LoggerMessage(4140, LogLevel.Debug, "The link to leader {NodeId}, which asks the producers of this node, ended: {Detail}",
        EventName = "ProducerLinkEnded")]
    public static partial void ProducerLinkEnded(ILogger logger, NodeId nodeId, string detail);

    [LoggerMessage(4141, LogLevel.Debug, "Topic {Topic} has no producer that could be asked about transaction {TransactionId}",
        EventName = "NoProducerToAsk")]
    public static partial void NoProducerToAsk(ILogger logger, string topic, string transactionId);

    [LoggerMessage(4142, LogLevel.Warning, "The transaction webhook of topic {Topic} did not decide: {Detail}",
        EventName = "WebhookFailed")]
    public static partial void WebhookFailed(ILogger logger, string topic, string detail);

    [LoggerMessage(4300, LogLevel.Warning, "From now on events of {Level} and above are logged; it was {Before}",
        EventName = "LogLevelChanged")]
    public static partial void LogLevelChanged(ILogger logger, LogLevel before, LogLevel level);

    [LoggerMessage(4150, LogLevel.Debug, "Leader {NodeId} could not be told the lite topics of a client: {Detail}",
        EventName = "LiteReplayFailed")]
    public static partial void LiteReplayFailed(ILogger logger, NodeId nodeId, string detail);

    [LoggerMessage(4007, LogLevel.Debug, "Deliveries of group {Group} were lost on the way to client {ClientId}; "
        + "they return when their lease ends", EventName = "DeliveryLost")]
    public static partial void DeliveryLost(ILogger logger, string group, string clientId);
}
