using Dledger.Protocol.Stream.V1;
using Grpc.Core;

namespace Dledger.Frontend.Streaming;

/// <summary>Lists what the stream service offers, as the generated code does, but for the requests of a producer: they have a marshaller
/// of their own.</summary>
public static class StreamBinding
{
    /// <summary>Called by the gRPC server, which finds it by the attribute of <see cref="StreamService"/>.</summary>
    public static void Bind(ServiceBinderBase binder, StreamService? service) =>
        Protocol.Stream.V1.StreamService.BindService(new Binder(binder), service);

    private sealed class Binder(ServiceBinderBase binder) : ServiceBinderBase
    {
        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
        {
            if (method is Method<ProduceRequest, TResponse>)
            {
                binder.AddMethod(
                    new Method<ProduceFrame, TResponse>(
                        method.Type, method.ServiceName, method.Name, ProduceFrame.Marshaller, method.ResponseMarshaller),
                    (DuplexStreamingServerMethod<ProduceFrame, TResponse>?)null);
                return;
            }

            binder.AddMethod(method, handler);
        }
    }
}
