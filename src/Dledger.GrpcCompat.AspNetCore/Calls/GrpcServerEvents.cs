using Microsoft.Extensions.Logging;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>What the server side writes to the logger. Ids 8000 to 8099.</summary>
internal static partial class GrpcServerEvents
{
    [LoggerMessage(8000, LogLevel.Error, "The handler of {Method} failed", EventName = "HandlerFailed")]
    public static partial void HandlerFailed(ILogger logger, string method, Exception exception);

    [LoggerMessage(
        8001, LogLevel.Debug, "The handler of {Method} ended after its call was over", EventName = "CallWasOver")]
    public static partial void CallWasOver(ILogger logger, string method, Exception exception);

    [LoggerMessage(8002, LogLevel.Debug, "The deadline of {Method} passed", EventName = "DeadlineExceeded")]
    public static partial void DeadlineExceeded(ILogger logger, string method);

    [LoggerMessage(8003, LogLevel.Debug, "{Method} was answered with {Status}: {Detail}", EventName = "Refused")]
    public static partial void Refused(ILogger logger, string method, Grpc.Core.StatusCode status, string detail);
}
