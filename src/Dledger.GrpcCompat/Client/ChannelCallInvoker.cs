using Grpc.Core;
using Grpc.Net.Client;

namespace Dledger.GrpcCompat.Client;

/// <summary>Makes calls on a channel.</summary>
internal sealed class ChannelCallInvoker(GrpcChannel channel) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        using var call = AsyncUnaryCall(method, host, options, request);

        // Blocking is what this member promises; the call completes on the thread pool and needs no caller's context.
#pragma warning disable RS0030
        return call.ResponseAsync.GetAwaiter().GetResult();
#pragma warning restore RS0030
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var call = new ClientCall<TRequest, TResponse>(channel, method, options);
        call.Start(new SingleRequestContent<TRequest, TResponse>(call, request), host);
        return new AsyncUnaryCall<TResponse>(
            call.ReadSingleAsync(),
            static state => ((ClientCall<TRequest, TResponse>)state).GetHeadersAsync(),
            static state => ((ClientCall<TRequest, TResponse>)state).GetStatus(),
            static state => ((ClientCall<TRequest, TResponse>)state).GetTrailers(),
            static state => ((ClientCall<TRequest, TResponse>)state).Dispose(),
            call);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var call = new ClientCall<TRequest, TResponse>(channel, method, options);
        call.Start(new SingleRequestContent<TRequest, TResponse>(call, request), host);
        return new AsyncServerStreamingCall<TResponse>(
            new ResponseStreamReader<TRequest, TResponse>(call),
            static state => ((ClientCall<TRequest, TResponse>)state).GetHeadersAsync(),
            static state => ((ClientCall<TRequest, TResponse>)state).GetStatus(),
            static state => ((ClientCall<TRequest, TResponse>)state).GetTrailers(),
            static state => ((ClientCall<TRequest, TResponse>)state).Dispose(),
            call);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new ClientCall<TRequest, TResponse>(channel, method, options);
        var content = new StreamingRequestContent();
        call.Start(content, host);
        return new AsyncClientStreamingCall<TRequest, TResponse>(
            new RequestStreamWriter<TRequest, TResponse>(call, content),
            call.ReadSingleAsync(),
            static state => ((ClientCall<TRequest, TResponse>)state).GetHeadersAsync(),
            static state => ((ClientCall<TRequest, TResponse>)state).GetStatus(),
            static state => ((ClientCall<TRequest, TResponse>)state).GetTrailers(),
            static state => ((ClientCall<TRequest, TResponse>)state).Dispose(),
            call);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new ClientCall<TRequest, TResponse>(channel, method, options);
        var content = new StreamingRequestContent();
        call.Start(content, host);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            new RequestStreamWriter<TRequest, TResponse>(call, content),
            new ResponseStreamReader<TRequest, TResponse>(call),
            static state => ((ClientCall<TRequest, TResponse>)state).GetHeadersAsync(),
            static state => ((ClientCall<TRequest, TResponse>)state).GetStatus(),
            static state => ((ClientCall<TRequest, TResponse>)state).GetTrailers(),
            static state => ((ClientCall<TRequest, TResponse>)state).Dispose(),
            call);
    }
}
