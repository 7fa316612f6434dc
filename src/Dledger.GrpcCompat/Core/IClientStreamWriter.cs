namespace Grpc.Core;

/// <summary>The request stream of a client.</summary>
public interface IClientStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>Ends the request stream. No write may follow.</summary>
    Task CompleteAsync();
}
