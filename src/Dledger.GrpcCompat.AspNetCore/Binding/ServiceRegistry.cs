using Dledger.GrpcCompat.AspNetCore.Calls;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dledger.GrpcCompat.AspNetCore.Binding;

/// <summary>Makes the endpoints of services, and those that answer UNIMPLEMENTED for what is not mapped.</summary>
internal sealed class ServiceRegistry(
    IOptions<GrpcServiceOptions> shared, IServiceProvider services, TimeProvider time, ILoggerFactory loggers)
{
    private readonly DeadlinePool _deadlines = new(time);
    private readonly ILogger _logger = loggers.CreateLogger("Grpc.AspNetCore.Server.ServerCallHandler");
    private bool _unknownServicesMapped;

    public IReadOnlyList<IEndpointConventionBuilder> Map<TService>(IEndpointRouteBuilder routes)
        where TService : class
    {
        var options = services.GetRequiredService<IOptions<GrpcServiceOptions<TService>>>();
        var settings = ServiceSettings.Resolve(shared.Value, options.Value);
        var binder = new EndpointBinder<TService>(
            routes,
            new ServiceActivation<TService>(services, services.GetRequiredService<ServiceLifetimes>()),
            new CallEnvironment(settings, _deadlines, _logger));
        ServiceBinding.Bind(typeof(TService), binder);
        foreach (var name in binder.ServiceNames)
        {
            binder.Endpoints.Add(MapUnknown(routes, $"/{name}/{{unimplementedMethod}}", "method"));
        }

        if (shared.Value.IgnoreUnknownServices != true && !_unknownServicesMapped)
        {
            _unknownServicesMapped = true;
            MapUnknown(routes, "/{unimplementedService}/{unimplementedMethod}", "service");
        }

        return binder.Endpoints;
    }

    private static IEndpointConventionBuilder MapUnknown(IEndpointRouteBuilder routes, string pattern, string unknown)
    {
        var endpoint = routes.Map(pattern, context => UnknownMethod.AnswerAsync(context, unknown));
        endpoint.Add(
            static builder =>
            {
                // Behind every other endpoint, so that pages of the application with two segments stay reachable.
                ((RouteEndpointBuilder)builder).Order = int.MaxValue;
                builder.DisplayName = $"gRPC - {((RouteEndpointBuilder)builder).RoutePattern.RawText}";
            });
        return endpoint;
    }
}
