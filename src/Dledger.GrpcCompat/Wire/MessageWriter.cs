using System.Buffers;
using System.IO.Compression;
using Grpc.Core;

namespace Dledger.GrpcCompat.Wire;

/// <summary>Puts messages with their prefix into a buffer. One write at a time; owned by the call.</summary>
/// <remarks>
/// A message of announced length that is sent plain is serialised straight into the target; all others take the way
/// through a pooled buffer. Above the limit throws <see cref="RpcException"/> with RESOURCE_EXHAUSTED before anything
/// is put into the target.
/// </remarks>
internal sealed class MessageWriter(int? bytesMax) : SerializationContext
{
    private IBufferWriter<byte>? _target;
    private PooledBuffer? _buffer;
    private byte[]? _payload;
    private bool _compress;
    private int? _announced;
    private bool _direct;
    private bool _complete;

    /// <param name="marshaller">Serialises the message.</param>
    /// <param name="message">The message.</param>
    /// <param name="target">Where prefix and message go.</param>
    /// <param name="gzipLevel">Null: plain.</param>
    public void Write<T>(Marshaller<T> marshaller, T message, IBufferWriter<byte> target, CompressionLevel? gzipLevel)
    {
        _target = target;
        _compress = gzipLevel is not null;
        _payload = null;
        _announced = null;
        _direct = false;
        _complete = false;
        try
        {
            marshaller.ContextualSerializer(message, this);
            if (!_complete)
            {
                throw new InvalidOperationException("The marshaller did not complete the message.");
            }

            if (!_direct)
            {
                WriteBuffered(target, gzipLevel);
            }
        }
        finally
        {
            _target = null;
            _payload = null;
            _buffer?.Dispose();
            _buffer = null;
        }
    }

    public override void SetPayloadLength(int payloadLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payloadLength);
        CheckSize(payloadLength);
        _announced = payloadLength;
    }

    public override IBufferWriter<byte> GetBufferWriter()
    {
        if (_direct)
        {
            return _target!;
        }

        if (_announced is { } length && !_compress)
        {
            _direct = true;
            new MessagePrefix(MessagePrefix.Plain, (uint)length).Write(_target!);
            return _target!;
        }

        return _buffer ??= new PooledBuffer();
    }

    public override void Complete()
    {
        if (_buffer is null && !_direct)
        {
            _payload = [];
        }

        _complete = true;
    }

    public override void Complete(byte[] payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        _payload = payload;
        _complete = true;
    }

    private void WriteBuffered(IBufferWriter<byte> target, CompressionLevel? gzipLevel)
    {
        var message = _payload is null ? _buffer!.Written.Span : _payload;
        CheckSize(message.Length);
        if (gzipLevel is not { } level)
        {
            new MessagePrefix(MessagePrefix.Plain, (uint)message.Length).Write(target);
            target.Write(message);
            return;
        }

        using var compressed = new PooledBuffer();
        Gzip.Compress(message, level, compressed);
        new MessagePrefix(MessagePrefix.Compressed, (uint)compressed.Count).Write(target);
        target.Write(compressed.Written.Span);
    }

    private void CheckSize(int size)
    {
        if (size > bytesMax)
        {
            throw MessageLimits.TooLargeToSend(bytesMax.Value);
        }
    }
}
