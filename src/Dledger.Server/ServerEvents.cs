using Dledger.Primitives;
using Microsoft.Extensions.Logging;

namespace Dledger.Server;

/// <summary>Log events of the server; ids 6000 to 6999, never reused.</summary>
internal static partial class ServerEvents
{
    [LoggerMessage(6001, LogLevel.Information,
        "Node {NodeId} serves clients at {Address}; they are told {Advertised}", EventName = "Started")]
    public static partial void Started(ILogger logger, NodeId nodeId, string address, string advertised);

    [LoggerMessage(6002, LogLevel.Information, "Node {NodeId} stops: draining clients, handing over the leadership",
        EventName = "Stopping")]
    public static partial void Stopping(ILogger logger, NodeId nodeId);

    [LoggerMessage(6003, LogLevel.Information, "Node {NodeId} has stopped: {Reason}", EventName = "Stopped")]
    public static partial void Stopped(ILogger logger, NodeId nodeId, string reason);

    [LoggerMessage(6004, LogLevel.Error, "Node {NodeId} cannot go on: {Reason}", EventName = "Faulted")]
    public static partial void Faulted(ILogger logger, NodeId nodeId, string reason);

    [LoggerMessage(6005, LogLevel.Debug, "Connection {ConnectionId} speaks plaintext; client.tls is 'required'",
        EventName = "PlaintextRefused")]
    public static partial void PlaintextRefused(ILogger logger, string connectionId);

    [LoggerMessage(6006, LogLevel.Debug, "Connection {ConnectionId} speaks TLS; client.tls is 'off'",
        EventName = "TlsRefused")]
    public static partial void TlsRefused(ILogger logger, string connectionId);

    [LoggerMessage(6007, LogLevel.Debug, "TLS handshake of connection {ConnectionId} failed: {Detail}",
        EventName = "HandshakeFailed")]
    public static partial void HandshakeFailed(ILogger logger, string connectionId, string detail);

    [LoggerMessage(6008, LogLevel.Warning,
        "client.connectionsMax is {Configured}, but the process may open {FileLimit} files; taking {Used} connections",
        EventName = "ConnectionsLowered")]
    public static partial void ConnectionsLowered(ILogger logger, int configured, long fileLimit, int used);

    [LoggerMessage(6009, LogLevel.Warning, "The leadership was not handed over: {Detail}",
        EventName = "TransferFailed")]
    public static partial void TransferFailed(ILogger logger, string detail);

    [LoggerMessage(6010, LogLevel.Warning, "Calls that did not end within {DrainMax} were cut off",
        EventName = "CallsCutOff")]
    public static partial void CallsCutOff(ILogger logger, TimeSpan drainMax);

    [LoggerMessage(6011, LogLevel.Debug, "The part of a leader was rehearsed in {Milliseconds} ms", EventName = "Rehearsed")]
    public static partial void Rehearsed(ILogger logger, long milliseconds);

    [LoggerMessage(6012, LogLevel.Debug, "The part of a leader could not be rehearsed: {Detail}",
        EventName = "RehearsalFailed")]
    public static partial void RehearsalFailed(ILogger logger, string detail);
}
