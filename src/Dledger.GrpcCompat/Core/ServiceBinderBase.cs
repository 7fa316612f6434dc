namespace Grpc.Core;

/// <summary>
/// Receives the methods of a service from generated code. The handler is null when only names are asked.
/// </summary>
public abstract class ServiceBinderBase
{
    public virtual void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
        where TRequest : class
        where TResponse : class
    {
        throw Unsupported(method);
    }

    public virtual void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
        where TRequest : class
        where TResponse : class
    {
        throw Unsupported(method);
    }

    public virtual void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
        where TRequest : class
        where TResponse : class
    {
        throw Unsupported(method);
    }

    public virtual void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
        where TRequest : class
        where TResponse : class
    {
        throw Unsupported(method);
    }

    private static NotSupportedException Unsupported(IMethod method)
    {
        return new NotSupportedException($"This binder takes no {method.Type} methods such as {method.FullName}.");
    }
}
