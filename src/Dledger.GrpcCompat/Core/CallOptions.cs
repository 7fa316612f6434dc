namespace Grpc.Core;

/// <summary>What the caller asks of one call.</summary>
public struct CallOptions
{
    /// <param name="headers">Metadata sent with the request; keys that start with <c>grpc-</c> are reserved.</param>
    /// <param name="deadline">When the call fails with DEADLINE_EXCEEDED; UTC; null or MaxValue: never.</param>
    /// <param name="cancellationToken">Cancels the call on both sides.</param>
    /// <param name="writeOptions">The options of messages written without their own.</param>
    /// <param name="propagationToken">Not supported: a channel refuses a call that has one.</param>
    /// <param name="credentials">Adds metadata to the call.</param>
    public CallOptions(
        Metadata? headers = null,
        DateTime? deadline = null,
        CancellationToken cancellationToken = default,
        WriteOptions? writeOptions = null,
        ContextPropagationToken? propagationToken = null,
        CallCredentials? credentials = null)
    {
        Headers = headers;
        Deadline = deadline;
        CancellationToken = cancellationToken;
        WriteOptions = writeOptions;
        PropagationToken = propagationToken;
        Credentials = credentials;
        IsWaitForReady = false;
    }

    public Metadata? Headers { get; private set; }

    public DateTime? Deadline { get; private set; }

    public CancellationToken CancellationToken { get; private set; }

    public WriteOptions? WriteOptions { get; private set; }

    public ContextPropagationToken? PropagationToken { get; }

    public CallCredentials? Credentials { get; private set; }

    /// <summary>Accepted, but without effect: a call whose connection fails ends with UNAVAILABLE at once.</summary>
    public bool IsWaitForReady { get; private set; }

    public readonly CallOptions WithHeaders(Metadata headers)
    {
        return this with { Headers = headers };
    }

    public readonly CallOptions WithDeadline(DateTime deadline)
    {
        return this with { Deadline = deadline };
    }

    public readonly CallOptions WithCancellationToken(CancellationToken cancellationToken)
    {
        return this with { CancellationToken = cancellationToken };
    }

    public readonly CallOptions WithWriteOptions(WriteOptions writeOptions)
    {
        return this with { WriteOptions = writeOptions };
    }

    public readonly CallOptions WithCredentials(CallCredentials credentials)
    {
        return this with { Credentials = credentials };
    }

    public readonly CallOptions WithWaitForReady(bool waitForReady = true)
    {
        return this with { IsWaitForReady = waitForReady };
    }
}
