using Grpc.Core;
using Grpc.Testing;

namespace Dledger.GrpcCompat.Tests.Server;

/// <summary>A service whose handlers are set by the test.</summary>
internal sealed class ScriptedService : TestService.TestServiceBase
{
    public UnaryServerMethod<SimpleRequest, SimpleResponse> Unary { get; set; } =
        (_, _) => Task.FromResult(new SimpleResponse());

    public ClientStreamingServerMethod<StreamingInputCallRequest, StreamingInputCallResponse> Input { get; set; } =
        (_, _) => Task.FromResult(new StreamingInputCallResponse());

    public ServerStreamingServerMethod<StreamingOutputCallRequest, StreamingOutputCallResponse> Output { get; set; } =
        (_, _, _) => Task.CompletedTask;

    public DuplexStreamingServerMethod<StreamingOutputCallRequest, StreamingOutputCallResponse> Duplex { get; set; } =
        (_, _, _) => Task.CompletedTask;

    public override Task<SimpleResponse> UnaryCall(SimpleRequest request, ServerCallContext context)
    {
        return Unary(request, context);
    }

    public override Task<StreamingInputCallResponse> StreamingInputCall(
        IAsyncStreamReader<StreamingInputCallRequest> requestStream, ServerCallContext context)
    {
        return Input(requestStream, context);
    }

    public override Task StreamingOutputCall(
        StreamingOutputCallRequest request,
        IServerStreamWriter<StreamingOutputCallResponse> responseStream,
        ServerCallContext context)
    {
        return Output(request, responseStream, context);
    }

    public override Task FullDuplexCall(
        IAsyncStreamReader<StreamingOutputCallRequest> requestStream,
        IServerStreamWriter<StreamingOutputCallResponse> responseStream,
        ServerCallContext context)
    {
        return Duplex(requestStream, responseStream, context);
    }
}
