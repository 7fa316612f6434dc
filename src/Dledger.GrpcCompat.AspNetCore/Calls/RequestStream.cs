using Grpc.Core;

namespace Dledger.GrpcCompat.AspNetCore.Calls;

/// <summary>The requests of a streaming call.</summary>
internal sealed class RequestStream<TRequest>(
    ServerCall call, Marshaller<TRequest> marshaller) : IAsyncStreamReader<TRequest>
    where TRequest : class
{
    private static readonly Task<bool> True = Task.FromResult(true);
    private static readonly Task<bool> False = Task.FromResult(false);

    private TRequest? _current;

    public TRequest Current => _current
        ?? throw new InvalidOperationException("There is no current message: MoveNext has not returned true.");

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        _current = null;
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<bool>(cancellationToken);
        }

        if (call.CancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<bool>(call.CancellationToken);
        }

        if (call.IsOver)
        {
            return Task.FromException<bool>(
                new InvalidOperationException("The call is over: no message can be read."));
        }

        try
        {
            if (call.Reader.TryRead(marshaller, out _current))
            {
                return _current is null ? False : True;
            }
        }
        catch (Exception fault)
        {
            return Task.FromException<bool>(fault);
        }

        return cancellationToken.CanBeCanceled && cancellationToken != call.CancellationToken
            ? ReadLinkedAsync(cancellationToken)
            : ReadAsync(call.CancellationToken);
    }

    private async Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        _current = await call.Reader.ReadAsync(marshaller, cancellationToken);
        return _current is not null;
    }

    /// <summary>The deadline must end the read as well as the handler's own token.</summary>
    private async Task<bool> ReadLinkedAsync(CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, call.CancellationToken);
        return await ReadAsync(linked.Token);
    }
}
