using System.Buffers;
using System.IO.Pipelines;
using Dledger.GrpcCompat.Wire;
using Grpc.Core;

namespace Dledger.Allocation.Tests.Operations;

/// <summary>gRPC messages of 1 KiB in and out of a pipe; the marshaller makes no objects, so what is counted is ours.</summary>
public sealed class GrpcOperations
{
    private static readonly byte[] Payload = new byte[1024];
    private static readonly object Parsed = new();

    private static readonly Marshaller<object> Marshaller = Marshallers.Create<object>(
        static (_, context) =>
        {
            context.SetPayloadLength(Payload.Length);
            context.GetBufferWriter().Write(Payload);
            context.Complete();
        },
        static context => context.PayloadAsReadOnlySequence().Length == Payload.Length ? Parsed : new object());

    private readonly MessageReader _reader;
    private readonly MessageWriter _writer = new(bytesMax: null);
    private readonly ArrayBufferWriter<byte> _target = new(4096);
    private readonly RepeatingPipe _pipe;

    public GrpcOperations()
    {
        _writer.Write(Marshaller, Parsed, _target, gzipLevel: null);
        _pipe = new RepeatingPipe(_target.WrittenSpan.ToArray());
        _reader = new MessageReader(_pipe, bytesMax: null, encoding: null);
    }

    public bool Read() => _reader.TryRead(Marshaller, out var message) && message == Parsed;

    public int Write()
    {
        _target.ResetWrittenCount();
        _writer.Write(Marshaller, Parsed, _target, gzipLevel: null);
        return _target.WrittenCount;
    }

    /// <summary>Has the same message again and again.</summary>
    private sealed class RepeatingPipe(byte[] message) : PipeReader
    {
        private readonly ReadOnlySequence<byte> _message = new(message);

        public override bool TryRead(out ReadResult result)
        {
            result = new ReadResult(_message, isCanceled: false, isCompleted: false);
            return true;
        }

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            TryRead(out var result);
            return new(result);
        }

        public override void AdvanceTo(SequencePosition consumed)
        {
        }

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
        }

        public override void CancelPendingRead()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
