using System.Runtime.CompilerServices;

namespace Grpc.Core;

/// <summary>A call with one request and one response; awaiting it gives the response.</summary>
public sealed class AsyncUnaryCall<TResponse> : IDisposable
{
    private readonly AsyncCallState _state;

    public AsyncUnaryCall(
        Task<TResponse> responseAsync,
        Task<Metadata> responseHeadersAsync,
        Func<Status> getStatusFunc,
        Func<Metadata> getTrailersFunc,
        Action disposeAction)
    {
        ResponseAsync = responseAsync;
        _state = new AsyncCallState(responseHeadersAsync, getStatusFunc, getTrailersFunc, disposeAction);
    }

    public AsyncUnaryCall(
        Task<TResponse> responseAsync,
        Func<object, Task<Metadata>> responseHeadersAsync,
        Func<object, Status> getStatusFunc,
        Func<object, Metadata> getTrailersFunc,
        Action<object> disposeAction,
        object state)
    {
        ResponseAsync = responseAsync;
        _state = new AsyncCallState(responseHeadersAsync, getStatusFunc, getTrailersFunc, disposeAction, state);
    }

    public Task<TResponse> ResponseAsync { get; }

    public Task<Metadata> ResponseHeadersAsync => _state.GetHeadersAsync();

    public TaskAwaiter<TResponse> GetAwaiter()
    {
        return ResponseAsync.GetAwaiter();
    }

    public ConfiguredTaskAwaitable<TResponse> ConfigureAwait(bool continueOnCapturedContext)
    {
        return ResponseAsync.ConfigureAwait(continueOnCapturedContext);
    }

    /// <summary>The status of a call that has ended; throws <see cref="InvalidOperationException"/> before.</summary>
    public Status GetStatus()
    {
        return _state.GetStatus();
    }

    /// <summary>The trailers of a call that has ended; throws <see cref="InvalidOperationException"/> before.</summary>
    public Metadata GetTrailers()
    {
        return _state.GetTrailers();
    }

    /// <summary>Cancels the call unless it has ended.</summary>
    public void Dispose()
    {
        _state.Dispose();
    }
}
