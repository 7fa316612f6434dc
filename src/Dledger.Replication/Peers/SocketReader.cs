using System.Net.Sockets;

namespace Dledger.Replication.Peers;

/// <summary>
/// Reads exact numbers of bytes from a blocking socket, small ones through a buffer. Owned by one thread.
/// </summary>
internal sealed class SocketReader(Socket socket)
{
    private readonly byte[] _buffer = new byte[64 << 10];
    private int _start;
    private int _end;

    /// <summary>
    /// A view of the next <paramref name="length"/> bytes, valid until the next call; at most 64 KiB. Empty when the
    /// peer closed the connection.
    /// </summary>
    public ReadOnlyMemory<byte> ReadSmall(int length)
    {
        if (_buffer.Length - _start < length)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        while (_end - _start < length)
        {
            var received = socket.Receive(_buffer.AsSpan(_end));
            if (received == 0)
            {
                return ReadOnlyMemory<byte>.Empty;
            }

            _end += received;
        }

        var view = _buffer.AsMemory(_start, length);
        _start += length;
        if (_start == _end)
        {
            _start = 0;
            _end = 0;
        }

        return view;
    }

    /// <summary>Fills <paramref name="destination"/>; false when the peer closed the connection.</summary>
    public bool TryFill(Span<byte> destination)
    {
        var buffered = Math.Min(_end - _start, destination.Length);
        _buffer.AsSpan(_start, buffered).CopyTo(destination);
        _start += buffered;
        destination = destination[buffered..];
        while (!destination.IsEmpty)
        {
            var received = socket.Receive(destination);
            if (received == 0)
            {
                return false;
            }

            destination = destination[received..];
        }

        return true;
    }
}
