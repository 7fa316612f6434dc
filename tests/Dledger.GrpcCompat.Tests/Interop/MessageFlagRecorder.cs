using System.Buffers.Binary;

namespace Dledger.GrpcCompat.Tests.Interop;

/// <summary>
/// Sits between a channel and the network and keeps the bytes of every response, so that a test sees which messages
/// were compressed: no gRPC API tells.
/// </summary>
internal sealed class MessageFlagRecorder() : DelegatingHandler(new SocketsHttpHandler())
{
    private readonly MemoryStream _received = new();

    /// <summary>The flag of each message received since the last <see cref="Clear"/>.</summary>
    public IReadOnlyList<byte> Flags
    {
        get
        {
            var flags = new List<byte>();
            var rest = _received.ToArray().AsSpan();
            while (rest.Length >= 5)
            {
                flags.Add(rest[0]);
                rest = rest[(5 + BinaryPrimitives.ReadInt32BigEndian(rest[1..]))..];
            }

            return flags;
        }
    }

    public void Clear()
    {
        _received.SetLength(0);
    }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        var content = new StreamContent(
            new CopyingStream(await response.Content.ReadAsStreamAsync(cancellationToken), _received));
        foreach (var (name, values) in response.Content.Headers.NonValidated)
        {
            content.Headers.TryAddWithoutValidation(name, values);
        }

        response.Content = content;
        return response;
    }

    private sealed class CopyingStream(Stream inner, Stream copy) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            copy.Write(buffer.Span[..count]);
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin)
        {
            throw new NotSupportedException();
        }

        public override void SetLength(long value)
        {
            throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            throw new NotSupportedException();
        }

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
