using System.Buffers;

namespace Dledger.Broker.Messages;

/// <summary>Memory for the records of one receive: few rented pieces, because a pool keeps few arrays of a size. Owned by one receive.</summary>
/// <param name="bytes">What all records take together.</param>
internal sealed class RecordArena(long bytes)
{
    /// <summary>Larger pieces would seldom be full; a record that does not fit has an array of its own, which is not pooled.</summary>
    private const int PieceBytesMax = 64 << 10;

    private readonly List<byte[]> _pieces = new(1);
    private int _used;

    /// <summary>Room for a record, valid until <see cref="Return"/>.</summary>
    public Memory<byte> Take(int size)
    {
        if (size > PieceBytesMax)
        {
            return GC.AllocateUninitializedArray<byte>(size);
        }

        if (_pieces.Count == 0 || _pieces[^1].Length - _used < size)
        {
            _pieces.Add(ArrayPool<byte>.Shared.Rent((int)Math.Clamp(bytes, size, PieceBytesMax)));
            _used = 0;
        }

        var room = _pieces[^1].AsMemory(_used, size);
        _used += size;
        return room;
    }

    /// <summary>Gives all memory back.</summary>
    public void Return()
    {
        foreach (var piece in _pieces)
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        _pieces.Clear();
    }
}
