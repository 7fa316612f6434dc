namespace Grpc.Core;

/// <summary>Messages in the order in which the peer sent them. One read at a time.</summary>
public interface IAsyncStreamReader<out T>
{
    /// <summary>The message that the last successful <see cref="MoveNext"/> read.</summary>
    T Current { get; }

    /// <summary>Reads the next message; false: the peer has ended the stream in order.</summary>
    Task<bool> MoveNext(CancellationToken cancellationToken);
}
