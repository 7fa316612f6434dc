using Dledger.Primitives;
using Dledger.Replication.Tails;
using Dledger.Storage.Frames;
using Dledger.Storage.Records;

namespace Dledger.Allocation.Tests.Operations;

/// <summary>Frames of records with bodies of 1 KiB: cutting, verifying, walking, and finding them in the tail cache.</summary>
public sealed class FrameOperations
{
    private const int CachedCount = 64;

    private static readonly ClusterSeed Seed = ClusterSeed.Of(Guid.AllBitsSet, RaftGroupId.First);
    private static readonly ChainTail Genesis = ChainTail.Genesis(Seed);

    private readonly ReadOnlyMemory<byte>[] _records;
    private readonly byte[] _frame;
    private readonly byte[] _bytes = new byte[4096];
    private readonly TailCache _cache = new(LogPosition.Zero, bytesMax: 256 << 20);
    private readonly List<CachedFrame> _collected = new(CachedCount);
    private readonly LogPosition _middle;

    public FrameOperations(int recordCount)
    {
        var record = RecordEncoder.Encode(new RecordFields { Kind = RecordKind.Message }, "id"u8, [], new byte[1024]);
        _records = [.. Enumerable.Repeat((ReadOnlyMemory<byte>)record, recordCount)];
        _frame = Build(Genesis);
        var tail = Genesis;
        for (var i = 0; i < CachedCount; i++)
        {
            _middle = i == CachedCount / 2 ? tail.End : _middle;
            var bytes = Build(tail);
            Invariant.Check(FrameHeader.TryParse(bytes, Seed, 64 << 20, out var header, out var fault), fault ?? "");
            _cache.Append(new CachedFrame(header, bytes));
            tail = header.Tail;
        }
    }

    public int FrameBytes => _frame.Length;

    public byte[] Build() => Build(Genesis);

    public int Verify() => FrameReader.TryRead(_frame, Genesis, Seed, 64 << 20, out var frame, out _) ? frame.Bytes.Length : -1;

    /// <summary>As apply walks through a payload.</summary>
    public long Scan()
    {
        long sum = 0;
        foreach (var record in new RecordEnumerator(_frame.AsSpan(FrameHeader.Size), LogPosition.Zero + FrameHeader.Size))
        {
            sum += record.Body.Length + record.Key.Length;
        }

        return sum;
    }

    public bool FindInCache() => _cache.TryGet(_middle, out _);

    public int ReadFromCache() => _cache.Read(_middle, _bytes);

    public int CollectFromCache()
    {
        _collected.Clear();
        return _cache.TryCollect(_middle, _cache.End, _collected) ? _collected.Count : -1;
    }

    private byte[] Build(in ChainTail tail) => FrameBuilder.Build(
        tail, new Term(1), 1_700_000_000_000_000, LogPosition.Zero, FrameFlags.None, new NodeId(1), _records, Seed);
}
