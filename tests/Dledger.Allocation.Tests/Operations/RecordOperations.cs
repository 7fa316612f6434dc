using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Allocation.Tests.Operations;

/// <summary>What happens to the bytes of one record with a body of 1 KiB.</summary>
public sealed class RecordOperations
{
    private static readonly LogPosition Position = new(64);

    private readonly byte[] _key = "01ABCDEF0123456789ABCDEF0123456789"u8.ToArray();
    private readonly byte[] _properties = new byte[40];
    private readonly byte[] _body = new byte[1024];
    private readonly byte[] _encoded = new byte[2048];
    private readonly byte[] _sealed;
    private readonly byte[] _destination = new byte[2048];
    private readonly int _length;

    public RecordOperations()
    {
        new Random(1).NextBytes(_body);
        _length = EncodeInto(_encoded);
        _sealed = _encoded[.._length];
        RecordView.Seal(_sealed, Position, 1_700_000_000_000_000);
    }

    public int Encode() => EncodeInto(_destination);

    public int Parse() => RecordView.TryParse(_encoded.AsSpan(0, _length), out var record, out _) ? record.Body.Length : -1;

    public int ParseSealed() => RecordView.TryParseSealed(_sealed, Position, out var record, out _) ? record.Body.Length : -1;

    public int ParseUnchecked() => RecordView.TryParseUnchecked(_sealed, out var record, out _) ? record.Body.Length : -1;

    public void Seal() => RecordView.Seal(_destination.AsSpan(0, _length), Position, 1_700_000_000_000_000);

    private int EncodeInto(Span<byte> destination) => RecordEncoder.Encode(
        new RecordFields { Kind = RecordKind.Message, TopicId = 5, QueueId = 2, TagHash = 7, BornTime = 8, MessageIdHash = 9 },
        _key,
        _properties,
        _body,
        destination);
}
