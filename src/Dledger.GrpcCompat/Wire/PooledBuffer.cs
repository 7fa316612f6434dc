using System.Buffers;

namespace Dledger.GrpcCompat.Wire;

/// <summary>A growing array from the shared pool. Owned by one call; disposing returns the array.</summary>
internal sealed class PooledBuffer(int sizeHint = 512) : IBufferWriter<byte>, IDisposable
{
    private byte[] _array = ArrayPool<byte>.Shared.Rent(sizeHint);
    private int _count;

    public int Count => _count;

    public ReadOnlyMemory<byte> Written => _array.AsMemory(0, _count);

    public void Clear()
    {
        _count = 0;
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _array.Length - _count);
        _count += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsMemory(_count);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsSpan(_count);
    }

    public void Dispose()
    {
        var array = _array;
        _array = [];
        _count = 0;
        if (array.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    private void Reserve(int sizeHint)
    {
        var wanted = Math.Max(sizeHint, 1);
        if (_array.Length - _count >= wanted)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(
            (int)Math.Min(Math.Max(checked(_count + wanted), _array.Length * 2L), Array.MaxLength));
        _array.AsSpan(0, _count).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
    }
}
