using Dledger.Broker.Commands;
using Dledger.Broker.Deduplication;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Storage.Records;

namespace Dledger.Broker.Filtering;

/// <summary>Looks at the records of a scan on the caller's thread.</summary>
internal sealed class RecordScan(
    DeliveryReader reader, string topic, MessageFilter filter, FilterSet all, DedupSettings dedup, SeededDefect defect)
{
    /// <summary>Bytes of records after which a scan ends with what it has: large bodies must not make it long.</summary>
    private const int BytesMax = 8 << 20;

    private readonly SortedDictionary<int, (List<OffsetRange> Leased, List<OffsetRange> Skipped)> _queues = [];
    private readonly Dictionary<int, List<UInt128>> _keys = [];
    private readonly List<(int QueueId, long Offset)> _left = [];
    private readonly HashSet<(int QueueId, int GroupHash)> _closed = [];
    private readonly HashSet<(int QueueId, long Offset)> _unreadable = [];
    private long _bytes;

    /// <summary>Judges candidates in order until enough of them match.</summary>
    /// <remarks>In an ordered group what follows a message that is left to others waits behind it, wanted or not.</remarks>
    public ScanVerdict Judge(ScanGrant scan)
    {
        var leased = 0;
        foreach (var candidate in scan.Candidates)
        {
            if (leased == scan.LeasedMax || _bytes >= BytesMax)
            {
                break;
            }

            var lane = (candidate.QueueId, IndexHash.GroupOf(candidate.Entry.TagHash));
            if (scan.IsOrdered && _closed.Contains(lane))
            {
                continue;
            }

            switch (Judge(candidate, out var key))
            {
                case Judgement.Wanted:
                    OffsetRange.Append(RangesOf(candidate.QueueId).Leased, candidate.Offset);
                    KeysOf(candidate.QueueId).Add(key);
                    leased++;
                    break;
                case Judgement.Unwanted:
                    OffsetRange.Append(RangesOf(candidate.QueueId).Skipped, candidate.Offset);
                    break;
                default:
                    _left.Add((candidate.QueueId, candidate.Offset));
                    _closed.Add(lane);
                    break;
            }
        }

        return new ScanVerdict(
            scan,
            [.. scan.Queues.Where(queue => _queues.ContainsKey(queue.QueueId)).Select(Judged)],
            leased,
            _left,
            all.Version)
        {
            HasKeys = dedup.IsOn,
            Unreadable = _unreadable,
        };
    }

    // As chosen, up to the last message that is handed out or skipped: what the record makes known it brings the message groups of.
    private LeaseQueue Judged(LeaseQueue chosen)
    {
        var (leased, skipped) = _queues[chosen.QueueId];
        var end = Math.Max(leased.Count == 0 ? 0 : leased[^1].End, skipped.Count == 0 ? 0 : skipped[^1].End);
        var hashCount = (int)Math.Clamp(end - chosen.Base, 0, chosen.GroupHashes.Count);
        return chosen with
        {
            Leased = leased,
            Skipped = skipped,
            GroupHashes = [.. chosen.GroupHashes.Take(hashCount)],
            Keys = dedup.IsOn ? KeysOf(chosen.QueueId) : [],
        };
    }

    private Judgement Judge(in ScanCandidate candidate, out UInt128 key)
    {
        key = DedupKey.None;
        var entry = candidate.Entry;
        var tagHash = IndexHash.TagOf(entry.TagHash);
        if (!filter.MayMatch(tagHash) && !all.MayBeWanted(tagHash))
        {
            return Judgement.Unwanted;
        }

        _bytes += entry.Size;
        if (reader.ReadRecord(entry.Position, entry.Size, candidate.QueueId, candidate.Offset, topic) is not { } bytes)
        {
            _unreadable.Add((candidate.QueueId, candidate.Offset));

            // Nobody can say whether it matches: it goes the way of every message that cannot be read.
            return Judgement.Wanted;
        }

        RecordView.TryParseUnchecked(bytes, out var record, out _);
        if (filter.Matches(record))
        {
            key = dedup.IsOn ? DedupKey.Of(record, dedup) : DedupKey.None;
            return Judgement.Wanted;
        }

        return all.IsWanted(record) && defect != SeededDefect.MixedFiltersSkip ? Judgement.LeftToOthers : Judgement.Unwanted;
    }

    private List<UInt128> KeysOf(int queueId)
    {
        if (!_keys.TryGetValue(queueId, out var keys))
        {
            _keys.Add(queueId, keys = []);
        }

        return keys;
    }

    private (List<OffsetRange> Leased, List<OffsetRange> Skipped) RangesOf(int queueId)
    {
        if (!_queues.TryGetValue(queueId, out var ranges))
        {
            ranges = ([], []);
            _queues.Add(queueId, ranges);
        }

        return ranges;
    }

    private enum Judgement
    {
        Wanted,
        Unwanted,
        LeftToOthers,
    }
}
