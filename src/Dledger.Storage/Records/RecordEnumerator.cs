using Dledger.Primitives;

namespace Dledger.Storage.Records;

/// <summary>Walks the records of a frame's payload in order. The payload's checksum was verified before.</summary>
/// <remarks>Usage: <c>foreach (var record in new RecordEnumerator(payload, payloadStart))</c>.</remarks>
public ref struct RecordEnumerator
{
    private readonly ReadOnlySpan<byte> _payload;
    private readonly LogPosition _payloadStart;
    private RecordView _current;
    private int _currentStart;
    private int _next;

    /// <summary>Begins before the first record.</summary>
    /// <param name="payload">The bytes behind a frame's header.</param>
    /// <param name="payloadStart">Log position of the first of them.</param>
    public RecordEnumerator(ReadOnlySpan<byte> payload, LogPosition payloadStart)
    {
        _payload = payload;
        _payloadStart = payloadStart;
    }

    /// <summary>The record under the cursor.</summary>
    public readonly RecordView Current => _current;

    /// <summary>Where it begins in the log.</summary>
    public readonly LogPosition CurrentPosition => _payloadStart + _currentStart;

    /// <summary>Where it begins in the payload.</summary>
    public readonly int CurrentStart => _currentStart;

    public readonly RecordEnumerator GetEnumerator() => this;

    /// <summary>
    /// Steps to the next record; false at the payload's end. A malformed record in a verified payload is a bug.
    /// </summary>
    public bool MoveNext()
    {
        if (!TryMoveNext(out var fault))
        {
            Invariant.Check(fault is null, $"record at {_payloadStart + _next}: {fault}");
            return false;
        }

        return true;
    }

    /// <summary>Like <see cref="MoveNext"/>, but a malformed record answers false with a fault.</summary>
    public bool TryMoveNext(out string? fault)
    {
        fault = null;
        if (_next >= _payload.Length || !RecordView.TryParseUnchecked(_payload[_next..], out var record, out fault))
        {
            return false;
        }

        _current = record;
        _currentStart = _next;
        _next += record.Length;
        return true;
    }
}
