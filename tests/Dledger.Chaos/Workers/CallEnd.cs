using System.Net.Sockets;
using Apache.Rocketmq.V2;
using Dledger.Client.Errors;
using Grpc.Core;

namespace Dledger.Chaos.Workers;

/// <summary>How a call ended.</summary>
/// <param name="Certainty">What that says about its effect.</param>
/// <param name="Error">Stable code; null when done.</param>
internal readonly record struct CallEnd(Certainty Certainty, string? Error)
{
    public static readonly CallEnd Done = new(Certainty.Done, null);

    /// <summary>As the history says it.</summary>
    public string Phase => Certainty switch
    {
        Certainty.Done => "ok",
        Certainty.Refused => "fail",
        _ => "info",
    };

    /// <summary>An answer of the messaging service, by the table of proto/README.md.</summary>
    /// <remarks>Refusals promise that nothing happened; confirmations that came too late, and faults of the server, promise
    /// nothing.</remarks>
    public static CallEnd Of(Apache.Rocketmq.V2.Status? status) => status?.Code switch
    {
        Code.Ok => Done,
        null => new CallEnd(Certainty.Unknown, "NO_STATUS"),
        Code.HaNotAvailable => new CallEnd(Certainty.Refused, "HA_NOT_AVAILABLE"),
        { } code when (int)code is >= 40000 and < 50000 => new CallEnd(Certainty.Refused, $"{(int)code}"),
        { } code => new CallEnd(Certainty.Unknown, $"{(int)code}"),
    };

    /// <summary>An answer to an ack or nack. A broker repeats these by itself until it gives up, and its last answer says
    /// nothing of the attempts before; only a refused handle is certain.</summary>
    public static CallEnd OfReceipt(Apache.Rocketmq.V2.Status? status) =>
        Of(status) is { Certainty: Certainty.Refused, Error: "HA_NOT_AVAILABLE" or "42900" } open
            ? open with { Certainty = Certainty.Unknown }
            : Of(status);

    /// <summary>What the library says of a send that failed: some of its errors promise that nothing was stored.</summary>
    public static CallEnd Of(DledgerException failure) => new(
        failure is ClusterUnavailableException or RequestRefusedException or ResourceNotFoundException
            ? Certainty.Refused
            : Certainty.Unknown,
        failure.GetType().Name);

    /// <summary>A call that failed on the way. Only a connection that was refused has certainly carried nothing.</summary>
    public static CallEnd Of(RpcException exception)
    {
        for (Exception? cause = exception.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
            {
                return new CallEnd(Certainty.Refused, "CONNECTION_REFUSED");
            }
        }

        return new CallEnd(Certainty.Unknown, exception.StatusCode.ToString());
    }
}
