namespace Grpc.Core;

/// <summary>A method of a service, without its message types.</summary>
public interface IMethod
{
    MethodType Type { get; }

    /// <summary><c>package.Service</c>.</summary>
    string ServiceName { get; }

    /// <summary>The name without the service.</summary>
    string Name { get; }

    /// <summary><c>/package.Service/Method</c>, the request path.</summary>
    string FullName { get; }
}
