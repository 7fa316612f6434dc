namespace Grpc.Core;

/// <summary>The outcome of a call: its code and the text for the caller.</summary>
public struct Status : IEquatable<Status>
{
    public static readonly Status DefaultSuccess = new(StatusCode.OK, "");

    public static readonly Status DefaultCancelled = new(StatusCode.Cancelled, "");

    public Status(StatusCode statusCode, string detail)
        : this(statusCode, detail, null)
    {
    }

    /// <param name="statusCode">The code.</param>
    /// <param name="detail">The text sent to, or received from, the peer.</param>
    /// <param name="debugException">What caused it on this side; never sent.</param>
    public Status(StatusCode statusCode, string detail, Exception? debugException)
    {
        StatusCode = statusCode;
        Detail = detail;
        DebugException = debugException;
    }

    public StatusCode StatusCode { get; }

    public string Detail { get; }

    /// <summary>What caused it on this side, for logs; not part of equality.</summary>
    public Exception? DebugException { get; }

    public override readonly string ToString()
    {
        return DebugException is null
            ? $"Status(StatusCode=\"{StatusCode}\", Detail=\"{Detail}\")"
            : $"Status(StatusCode=\"{StatusCode}\", Detail=\"{Detail}\", DebugException=\"{DebugException}\")";
    }

    public override readonly bool Equals(object? obj)
    {
        return obj is Status other && Equals(other);
    }

    public override readonly int GetHashCode()
    {
        return HashCode.Combine(StatusCode, Detail);
    }

    public readonly bool Equals(Status other)
    {
        return StatusCode == other.StatusCode && Detail == other.Detail;
    }
}
