using Google.Protobuf;
using Grpc.Core;
using Grpc.Testing;

namespace Dledger.GrpcCompat.Tests.Interop;

/// <summary>The server of gRPC's interoperability cases.</summary>
internal sealed class InteropService : TestService.TestServiceBase
{
    private const string EchoHeader = "x-grpc-test-echo-initial";
    private const string EchoTrailer = "x-grpc-test-echo-trailing-bin";

    public override Task<Empty> EmptyCall(Empty request, ServerCallContext context)
    {
        return Task.FromResult(new Empty());
    }

    public override async Task<SimpleResponse> UnaryCall(SimpleRequest request, ServerCallContext context)
    {
        await EchoMetadataAsync(context, request.ResponseCompressed is not null);
        CheckCompression(request.ExpectCompressed, context);
        ThrowIfAsked(request.ResponseStatus);
        context.WriteOptions = Compression(request.ResponseCompressed);
        return new SimpleResponse { Payload = Zeroes(request.ResponseSize) };
    }

    public override async Task StreamingOutputCall(
        StreamingOutputCallRequest request,
        IServerStreamWriter<StreamingOutputCallResponse> responseStream,
        ServerCallContext context)
    {
        await EchoMetadataAsync(
            context, request.ResponseParameters.Any(parameters => parameters.Compressed is not null));
        await WriteAsync(request, responseStream, context);
        ThrowIfAsked(request.ResponseStatus);
    }

    public override async Task<StreamingInputCallResponse> StreamingInputCall(
        IAsyncStreamReader<StreamingInputCallRequest> requestStream, ServerCallContext context)
    {
        await EchoMetadataAsync(context, compress: false);
        var sum = 0;
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            CheckCompression(request.ExpectCompressed, context);
            sum += request.Payload.Body.Length;
        }

        return new StreamingInputCallResponse { AggregatedPayloadSize = sum };
    }

    public override async Task FullDuplexCall(
        IAsyncStreamReader<StreamingOutputCallRequest> requestStream,
        IServerStreamWriter<StreamingOutputCallResponse> responseStream,
        ServerCallContext context)
    {
        await EchoMetadataAsync(context, compress: false);
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            await WriteAsync(request, responseStream, context);
            ThrowIfAsked(request.ResponseStatus);
        }
    }

    private static async Task WriteAsync(
        StreamingOutputCallRequest request,
        IServerStreamWriter<StreamingOutputCallResponse> responseStream,
        ServerCallContext context)
    {
        foreach (var parameters in request.ResponseParameters)
        {
            // The interval is part of the case's definition: the server is to sleep between messages.
            using var interval = new PeriodicTimer(TimeSpan.FromMicroseconds(Math.Max(parameters.IntervalUs, 1000)));
            if (parameters.IntervalUs > 0)
            {
                await interval.WaitForNextTickAsync(context.CancellationToken);
            }

            responseStream.WriteOptions = Compression(parameters.Compressed);
            await responseStream.WriteAsync(new StreamingOutputCallResponse { Payload = Zeroes(parameters.Size) });
        }
    }

    private static async Task EchoMetadataAsync(ServerCallContext context, bool compress)
    {
        if (context.RequestHeaders.GetValueBytes(EchoTrailer) is { } trailer)
        {
            context.ResponseTrailers.Add(EchoTrailer, trailer);
        }

        var headers = new Metadata();
        if (context.RequestHeaders.GetValue(EchoHeader) is { } header)
        {
            headers.Add(EchoHeader, header);
        }

        if (compress)
        {
            headers.Add("grpc-internal-encoding-request", "gzip");
        }

        if (headers.Count > 0)
        {
            await context.WriteResponseHeadersAsync(headers);
        }
    }

    private static void ThrowIfAsked(EchoStatus? status)
    {
        if (status is not null && status.Code != 0)
        {
            throw new RpcException(new Status((StatusCode)status.Code, status.Message));
        }
    }

    private static void CheckCompression(BoolValue? expected, ServerCallContext context)
    {
        if (expected is not null && expected.Value != ReceivedCompression.OfLastMessage(context))
        {
            var wanted = expected.Value ? "compressed" : "plain";
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"The message should have been {wanted}."));
        }
    }

    private static WriteOptions Compression(BoolValue? wanted)
    {
        return wanted?.Value == true ? WriteOptions.Default : new WriteOptions(WriteFlags.NoCompress);
    }

    private static Payload Zeroes(int size)
    {
        return new Payload { Body = ByteString.CopyFrom(new byte[size]) };
    }
}
