using Dledger.Broker.Commands;
using Dledger.Broker.Receiving;
using Dledger.Storage.Records;

namespace Dledger.Broker.Filtering;

/// <summary>Looks at the records of a scan on the caller's thread.</summary>
internal sealed class RecordScan(DeliveryReader reader, string topic, MessageFilter filter, FilterSet all, SeededDefect defect)
{
    /// <summary>Bytes of records after which a scan ends with what it has: large bodies must not make it long.</summary>
    private const int BytesMax = 8 << 20;

    private readonly SortedDictionary<int, (List<OffsetRange> Leased, List<OffsetRange> Skipped)> _queues = [];
    private readonly List<(int QueueId, long Offset)> _left = [];
    private long _bytes;

    /// <summary>Judges candidates in order until enough of them match.</summary>
    public ScanVerdict Judge(ScanGrant scan, int batchSize)
    {
        var leased = 0;
        foreach (var candidate in scan.Candidates)
        {
            if (leased == batchSize || _bytes >= BytesMax)
            {
                break;
            }

            switch (Judge(candidate))
            {
                case Judgement.Wanted:
                    OffsetRange.Append(RangesOf(candidate.QueueId).Leased, candidate.Offset);
                    leased++;
                    break;
                case Judgement.Unwanted:
                    OffsetRange.Append(RangesOf(candidate.QueueId).Skipped, candidate.Offset);
                    break;
                default:
                    _left.Add((candidate.QueueId, candidate.Offset));
                    break;
            }
        }

        return new ScanVerdict(
            scan,
            [.. _queues.Select(queue => new LeaseQueue(queue.Key, queue.Value.Leased, queue.Value.Skipped))],
            leased,
            _left,
            all.Version);
    }

    private Judgement Judge(in ScanCandidate candidate)
    {
        var entry = candidate.Entry;
        if (!filter.MayMatch(entry.TagHash) && !all.MayBeWanted(entry.TagHash))
        {
            return Judgement.Unwanted;
        }

        _bytes += entry.Size;
        if (reader.ReadRecord(entry.Position, entry.Size, candidate.QueueId, candidate.Offset, topic) is not { } bytes)
        {
            // Nobody can say whether it matches: it goes the way of every message that cannot be read.
            return Judgement.Wanted;
        }

        RecordView.TryParseUnchecked(bytes, out var record, out _);
        if (filter.Matches(record))
        {
            return Judgement.Wanted;
        }

        return all.IsWanted(record) && defect != SeededDefect.MixedFiltersSkip ? Judgement.LeftToOthers : Judgement.Unwanted;
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
