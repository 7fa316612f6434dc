using Dledger.Frontend.Messaging.Consuming;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging;

/// <summary>Lists what the messaging service offers, as the generated code does, but for the frames of a receive: they have a marshaller of
/// their own.</summary>
public static class MessagingBinding
{
    /// <summary>Called by the gRPC server, which finds it by the attribute of <see cref="MessagingService"/>.</summary>
    public static void Bind(ServiceBinderBase binder, MessagingService? service) =>
        Wire.MessagingService.BindService(new Binder(binder), service);

    private sealed class Binder(ServiceBinderBase binder) : ServiceBinderBase
    {
        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
            binder.AddMethod(method, handler);

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
            binder.AddMethod(method, handler);

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
            binder.AddMethod(method, handler);

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
        {
            if (method is Method<TRequest, Wire.ReceiveMessageResponse>)
            {
                binder.AddMethod(
                    new Method<TRequest, ReceiveFrame>(
                        method.Type, method.ServiceName, method.Name, method.RequestMarshaller, ReceiveFrame.Marshaller),
                    (ServerStreamingServerMethod<TRequest, ReceiveFrame>?)null);
                return;
            }

            binder.AddMethod(method, handler);
        }
    }
}
