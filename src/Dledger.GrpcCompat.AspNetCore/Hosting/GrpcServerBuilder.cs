using Grpc.AspNetCore.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Dledger.GrpcCompat.AspNetCore.Hosting;

/// <inheritdoc cref="IGrpcServerBuilder"/>
internal sealed record GrpcServerBuilder(IServiceCollection Services) : IGrpcServerBuilder;
