using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Dledger.GrpcCompat.Wire;

/// <summary>Cuts one direction of a call into messages. One read at a time; owned by the call.</summary>
/// <remarks>
/// Bad input throws <see cref="RpcException"/>: too large RESOURCE_EXHAUSTED, decided from the prefix before the body
/// is awaited; cut off, damaged, or not to be parsed INTERNAL; an encoding that was not announced INTERNAL. The first
/// fault is kept and thrown again by every later read.
/// </remarks>
internal sealed class MessageReader(PipeReader pipe, int? bytesMax, string? encoding)
{
    private readonly ReceivedPayload _payload = new();
    private Exception? _fault;

    /// <summary>Whether the last message read came compressed.</summary>
    public bool LastCompressed { get; private set; }

    /// <summary>
    /// True: the next message, or null at the end of the stream, from what has already arrived. False: more bytes are
    /// needed, see <see cref="ReadAsync{T}"/>.
    /// </summary>
    public bool TryRead<T>(Marshaller<T> marshaller, out T? message)
        where T : class
    {
        message = null;
        if (_fault is not null)
        {
            throw _fault;
        }

        ReadResult result;
        try
        {
            if (!pipe.TryRead(out result))
            {
                return false;
            }
        }
        catch (IOException cause)
        {
            throw new PeerGoneException(cause);
        }

        return TryTake(result, marshaller, out message);
    }

    /// <summary>Null at the end of the stream.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<T?> ReadAsync<T>(Marshaller<T> marshaller, CancellationToken cancellationToken)
        where T : class
    {
        if (_fault is not null)
        {
            throw _fault;
        }

        while (true)
        {
            var result = await ReadPipeAsync(cancellationToken).ConfigureAwait(false);
            if (TryTake(result, marshaller, out var message))
            {
                return message;
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> ReadPipeAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException cause)
        {
            throw new PeerGoneException(cause);
        }
    }

    /// <summary>The only message of a direction that is no stream; none or more than one throws INTERNAL.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<T> ReadSingleAsync<T>(Marshaller<T> marshaller, CancellationToken cancellationToken)
        where T : class
    {
        var message = await ReadAsync(marshaller, cancellationToken).ConfigureAwait(false)
            ?? throw Fail("The stream ended without a message.");
        while (true)
        {
            // Mostly the end has come with the message; a peer that ends its side later is waited for, which also
            // keeps the transport from resetting a stream whose request was not read to the end.
            var result = await ReadPipeAsync(cancellationToken).ConfigureAwait(false);
            var more = !result.Buffer.IsEmpty;
            var ended = result.IsCompleted;
            pipe.AdvanceTo(result.Buffer.End);
            if (more)
            {
                throw Fail("More than one message came where one was expected.");
            }

            if (ended)
            {
                return message;
            }
        }
    }

    /// <summary>True: the next message, or null at the end. False: more bytes are needed.</summary>
    private bool TryTake<T>(in ReadResult result, Marshaller<T> marshaller, out T? message)
        where T : class
    {
        message = null;
        var buffer = result.Buffer;
        if (result.IsCanceled)
        {
            pipe.AdvanceTo(buffer.Start);
            throw new OperationCanceledException("The read was cancelled.");
        }

        if (buffer.IsEmpty && result.IsCompleted)
        {
            pipe.AdvanceTo(buffer.End);
            return true;
        }

        var needed = (long)MessagePrefix.Bytes;
        try
        {
            if (buffer.Length >= needed)
            {
                var prefix = MessagePrefix.Read(buffer);
                CheckPrefix(prefix);
                needed += prefix.Length;
                if (buffer.Length >= needed)
                {
                    var payload = buffer.Slice(MessagePrefix.Bytes, prefix.Length);
                    message = Parse(payload, prefix.Flag == MessagePrefix.Compressed, marshaller);
                    pipe.AdvanceTo(payload.End);
                    return true;
                }
            }

            if (result.IsCompleted)
            {
                throw Fail($"The stream ended within a message: {buffer.Length} of {needed} bytes came.");
            }
        }
        catch (Exception fault)
        {
            _fault = fault;
            pipe.AdvanceTo(buffer.End);
            throw;
        }

        // Marking the bytes as examined is what reopens the HTTP/2 window for a message larger than it.
        pipe.AdvanceTo(buffer.Start, buffer.End);
        return false;
    }

    private void CheckPrefix(MessagePrefix prefix)
    {
        if (prefix.Length > (uint)(bytesMax ?? int.MaxValue))
        {
            throw MessageLimits.TooLargeToReceive(bytesMax ?? int.MaxValue);
        }

        if (prefix.Flag > MessagePrefix.Compressed)
        {
            throw Fail($"A message has the unknown flag {prefix.Flag}.");
        }

        if (prefix.Flag == MessagePrefix.Compressed && encoding != HeaderNames.Gzip)
        {
            throw Fail("A message is compressed, but no grpc-encoding was announced.");
        }
    }

    private T Parse<T>(ReadOnlySequence<byte> payload, bool compressed, Marshaller<T> marshaller)
    {
        LastCompressed = compressed;
        if (!compressed)
        {
            return Parse(payload, marshaller);
        }

        using var inflated = Gzip.Decompress(payload, bytesMax);
        return Parse(new ReadOnlySequence<byte>(inflated.Written), marshaller);
    }

    private T Parse<T>(ReadOnlySequence<byte> payload, Marshaller<T> marshaller)
    {
        _payload.Set(payload);
        try
        {
            return marshaller.ContextualDeserializer(_payload);
        }
        catch (Exception cause)
        {
            throw new RpcException(new Status(StatusCode.Internal, "A message could not be parsed.", cause));
        }
        finally
        {
            _payload.Set(default);
        }
    }

    private RpcException Fail(string detail)
    {
        var fault = new RpcException(new Status(StatusCode.Internal, detail));
        _fault = fault;
        return fault;
    }
}
