using System.Buffers;

namespace Dledger.Broker.Proposals;

/// <summary>Encoded records, mostly in a rented array. Whoever has it returns it, once; then nobody reads it any more.</summary>
internal readonly struct RecordBuffer
{
    private readonly byte[] _array;
    private readonly bool _isRented;

    private RecordBuffer(byte[] array, int length, bool isRented)
    {
        _array = array;
        Length = length;
        _isRented = isRented;
    }

    /// <summary>Bytes of the records.</summary>
    public int Length { get; }

    public Span<byte> Span => _array.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => _array.AsMemory(0, Length);

    public static RecordBuffer Rent(int length) => new(ArrayPool<byte>.Shared.Rent(length), length, isRented: true);

    /// <summary>Records in an array of their own, which is left to the garbage collector.</summary>
    public static RecordBuffer Of(byte[] records) => new(records, records.Length, isRented: false);

    public void Return()
    {
        if (_isRented)
        {
            ArrayPool<byte>.Shared.Return(_array);
        }
    }
}
