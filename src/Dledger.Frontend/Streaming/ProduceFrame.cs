using System.Buffers;
using Dledger.Protocol.Stream.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Dledger.Frontend.Streaming;

/// <summary>One request of a produce stream, the records of a batch in rented memory.</summary>
/// <remarks>
/// The generated code puts them into an array of their own: one that the collector keeps among the large objects, for each batch. Whoever
/// has the frame returns it, once, when nobody reads the records any more; what is forgotten is left to the collector.
/// </remarks>
public sealed class ProduceFrame
{
    internal static readonly Marshaller<ProduceFrame> Marshaller = Marshallers.Create<ProduceFrame>(
        static (frame, context) => context.Complete(frame.ToRequest().ToByteArray()),
        static context => Parse(context.PayloadAsReadOnlySequence()));

    private byte[]? _rented;

    private ProduceFrame()
    {
    }

    /// <summary>What it asks for.</summary>
    internal ProduceRequest.RequestOneofCase Case { get; private init; }

    /// <summary>With that case.</summary>
    internal OpenTopic? Open { get; private init; }

    /// <summary>See the fields of the batch; those of no batch are 0.</summary>
    internal uint Handle { get; private init; }

    internal ulong Number { get; private init; }

    internal int Count { get; private init; }

    internal Compression Compression { get; private init; }

    internal int UncompressedSize { get; private init; }

    internal ReadOnlyMemory<byte> Records { get; private init; }

    /// <summary>What it takes of memory here: unpacked it is checked.</summary>
    internal int Bytes => Compression == Compression.None ? Records.Length : Math.Max(Records.Length, UncompressedSize);

    /// <summary>Reads a request.</summary>
    /// <exception cref="InvalidProtocolBufferException">It is none.</exception>
    internal static ProduceFrame Parse(in ReadOnlySequence<byte> payload)
    {
        if (!BatchFields.TryRead(payload, out var fields))
        {
            return Of(ProduceRequest.Parser.ParseFrom(payload));
        }

        var length = (int)fields.Records.Length;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        fields.Records.CopyTo(rented);
        return new ProduceFrame
        {
            Case = ProduceRequest.RequestOneofCase.Batch,
            Handle = (uint)fields.Handle,
            Number = fields.Number,
            Count = (int)fields.Count,
            Compression = (Compression)(int)fields.Compression,
            UncompressedSize = (int)fields.UncompressedSize,
            Records = rented.AsMemory(0, length),
            _rented = rented,
        };
    }

    /// <summary>The request as generated code has it. It reads the records where they are: use it before <see cref="Return"/>.</summary>
    internal ProduceRequest ToRequest() => Case switch
    {
        ProduceRequest.RequestOneofCase.Open => new ProduceRequest { Open = Open },
        ProduceRequest.RequestOneofCase.Batch => new ProduceRequest
        {
            Batch = new RecordBatch
            {
                Handle = Handle,
                Number = Number,
                Count = Count,
                Records = UnsafeByteOperations.UnsafeWrap(Records),
                Compression = Compression,
                UncompressedSize = UncompressedSize,
            },
        },
        _ => new ProduceRequest(),
    };

    /// <summary>Nobody reads the records any more.</summary>
    internal void Return()
    {
        if (_rented is { } rented)
        {
            _rented = null;
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static ProduceFrame Of(ProduceRequest request) => new()
    {
        Case = request.RequestCase,
        Open = request.Open,
        Handle = request.Batch?.Handle ?? 0,
        Number = request.Batch?.Number ?? 0,
        Count = request.Batch?.Count ?? 0,
        Compression = request.Batch?.Compression ?? Compression.None,
        UncompressedSize = request.Batch?.UncompressedSize ?? 0,
        Records = request.Batch?.Records.Memory ?? default,
    };
}
