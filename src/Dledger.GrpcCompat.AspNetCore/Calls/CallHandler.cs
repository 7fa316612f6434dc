using Dledger.GrpcCompat.AspNetCore.Binding;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>Serves the calls of one method. Safe for any thread.</summary>
internal abstract class CallHandler<TService>(
    IMethod method, ServiceActivation<TService> services, CallEnvironment environment)
    where TService : class
{
    /// <summary>Ends only after the service has: the server reuses the request's objects from then on.</summary>
    public Task HandleAsync(HttpContext http)
    {
        return RequestGate.TryAdmit(http) ? RunAsync(new ServerCall(http, method, environment)) : Task.CompletedTask;
    }

    /// <summary>Reads what the kind of call reads before the service, calls it, and writes its response.</summary>
    protected abstract ValueTask InvokeAsync(TService service, ServerCall call);

    private async Task RunAsync(ServerCall call)
    {
        try
        {
            call.Begin();
            var (service, owned) = services.Get(call.HttpContext);
            try
            {
                await InvokeAsync(service, call);
            }
            finally
            {
                if (owned)
                {
                    await ServiceActivation<TService>.ReleaseAsync(service);
                }
            }

            call.Finish(call.Status);
        }
        catch (Exception fault)
        {
            call.Fail(fault);
        }
        finally
        {
            await call.EndAsync();
        }
    }
}
