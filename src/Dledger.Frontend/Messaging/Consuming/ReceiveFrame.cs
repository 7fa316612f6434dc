using Dledger.Broker.Messages;
using Google.Protobuf;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>
/// One frame of a receive on its way out: a protobuf object, or a delivered message that is written from its record. One object serves a
/// whole answer; it is read before a write returns.
/// </summary>
public sealed class ReceiveFrame
{
    internal static readonly Marshaller<ReceiveFrame> Marshaller = Marshallers.Create<ReceiveFrame>(
        static (frame, context) => frame.Write(context),
        static context => Parse(context));

    private Wire.ReceiveMessageResponse? _response;
    private DeliveryWriter? _writer;
    private int _length;

    /// <summary>Whether it carries a message.</summary>
    internal bool IsMessage => _writer is not null
        || _response?.ContentCase == Wire.ReceiveMessageResponse.ContentOneofCase.Message;

    internal void Set(Wire.ReceiveMessageResponse response)
    {
        _response = response;
        _writer = null;
    }

    /// <summary>False: the message must be sent as an object.</summary>
    internal bool TrySet(DeliveredMessage message, DeliveryWriter writer)
    {
        _response = null;
        _writer = writer.TryMeasure(message, out _length) ? writer : null;
        return _writer is not null;
    }

    private void Write(SerializationContext context)
    {
        if (_writer is { } writer)
        {
            context.SetPayloadLength(_length);
            writer.Write(context.GetBufferWriter(), _length);
        }
        else
        {
            context.SetPayloadLength(_response!.CalculateSize());
            _response.WriteTo(context.GetBufferWriter());
        }

        context.Complete();
    }

    private static ReceiveFrame Parse(DeserializationContext context)
    {
        var frame = new ReceiveFrame();
        frame.Set(Wire.ReceiveMessageResponse.Parser.ParseFrom(context.PayloadAsReadOnlySequence()));
        return frame;
    }
}
