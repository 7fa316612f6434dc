using Dledger.GrpcCompat.AspNetCore.Calls;
using Microsoft.AspNetCore.Http;

namespace Grpc.Core;

/// <summary>Leads from a call to the HTTP request that carries it.</summary>
public static class ServerCallContextExtensions
{
    /// <summary>
    /// Throws <see cref="InvalidOperationException"/> for a context that no HTTP request stands behind.
    /// </summary>
    public static HttpContext GetHttpContext(this ServerCallContext serverCallContext)
    {
        ArgumentNullException.ThrowIfNull(serverCallContext);
        return (serverCallContext as ServerCall)?.HttpContext
            ?? throw new InvalidOperationException("This call context does not come from an HTTP request.");
    }
}
