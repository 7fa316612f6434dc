using Grpc.Core;

namespace Dledger.GrpcCompat.Client;

/// <summary>Takes call credentials apart into the interceptors to run.</summary>
internal sealed class CredentialsCollector : CallCredentialsConfiguratorBase
{
    private readonly List<AsyncAuthInterceptor> _interceptors = [];

    public static IReadOnlyList<AsyncAuthInterceptor> Collect(params ReadOnlySpan<CallCredentials?> credentials)
    {
        var collector = new CredentialsCollector();
        foreach (var one in credentials)
        {
            one?.InternalPopulateConfiguration(collector, null);
        }

        return collector._interceptors;
    }

    public override void SetCompositeCredentials(object? state, IReadOnlyList<CallCredentials> credentials)
    {
        foreach (var part in credentials)
        {
            part.InternalPopulateConfiguration(this, state);
        }
    }

    public override void SetAsyncAuthInterceptorCredentials(object? state, AsyncAuthInterceptor interceptor)
    {
        _interceptors.Add(interceptor);
    }
}
