namespace Grpc.Core;

/// <summary>The part that all four call handles share: how to ask the call behind the handle.</summary>
internal readonly struct AsyncCallState
{
    private readonly object? _state;
    private readonly Func<object, Status> _getStatus;
    private readonly Func<object, Metadata> _getTrailers;
    private readonly Action<object> _dispose;
    private readonly Task<Metadata>? _headers;
    private readonly Func<object, Task<Metadata>>? _getHeaders;

    public AsyncCallState(
        Task<Metadata> headers, Func<Status> getStatus, Func<Metadata> getTrailers, Action dispose)
    {
        _headers = headers;
        _getStatus = _ => getStatus();
        _getTrailers = _ => getTrailers();
        _dispose = _ => dispose();
    }

    public AsyncCallState(
        Func<object, Task<Metadata>> getHeaders,
        Func<object, Status> getStatus,
        Func<object, Metadata> getTrailers,
        Action<object> dispose,
        object state)
    {
        _getHeaders = getHeaders;
        _getStatus = getStatus;
        _getTrailers = getTrailers;
        _dispose = dispose;
        _state = state;
    }

    public Task<Metadata> GetHeadersAsync()
    {
        return _headers ?? _getHeaders!(_state!);
    }

    public Status GetStatus()
    {
        return _getStatus(_state!);
    }

    public Metadata GetTrailers()
    {
        return _getTrailers(_state!);
    }

    public void Dispose()
    {
        _dispose(_state!);
    }
}
