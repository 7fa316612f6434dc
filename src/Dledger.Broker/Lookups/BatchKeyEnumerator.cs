using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Lookups;

/// <summary>Walks the numbers under which the messages of a compressed batch stand in the key index, and where those messages are.</summary>
internal ref struct BatchKeyEnumerator
{
    private readonly ReadOnlySpan<byte> _body;
    private readonly BatchTable _table;
    private int _message;
    private int _key = -1;

    public BatchKeyEnumerator(in RecordView batch)
    {
        _body = batch.Body;
        Invariant.Check(BatchTable.TryParse(_body, out _table), "an applied batch has a table that fits it");
    }

    /// <summary>A number, and how far behind the beginning of the batch's record its message is.</summary>
    public readonly (ulong Hash, int Distance) Current => (_table.Key(_body, _key), BatchTable.DistanceOf(_message));

    public readonly BatchKeyEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        if (++_key >= _table.KeyCount)
        {
            return false;
        }

        while (_message < _table.Count - 1 && _table.Row(_body, _message).KeysEnd <= _key)
        {
            _message++;
        }

        return true;
    }
}
