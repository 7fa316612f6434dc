using Dledger.Broker.Commands;

namespace Dledger.Broker.Receiving;

/// <summary>What is chosen of one queue so far. Used again for every choice.</summary>
internal sealed class QueueChoice
{
    private readonly HashSet<int> _free = [];
    private readonly HashSet<int> _closed = [];
    private readonly List<long> _known = [];
    private readonly List<long> _knownSkipped = [];
    private bool _isKnownOver;

    public List<OffsetRange> Leased { get; } = [];

    public List<OffsetRange> Skipped { get; } = [];

    /// <summary>Message groups of the offsets looked at for the first time.</summary>
    public List<int> Hashes { get; } = [];

    public void Begin()
    {
        Leased.Clear();
        Skipped.Clear();
        Hashes.Clear();
        _free.Clear();
        _closed.Clear();
        _known.Clear();
        _knownSkipped.Clear();
        _isKnownOver = false;
    }

    /// <summary>Whether everything known of the message group is chosen, so that the next of it may be as well.</summary>
    public bool IsFree(int groupHash) => _free.Contains(groupHash);

    /// <summary>Whether a message of the message group was passed over, so that none behind it may be chosen.</summary>
    public bool IsClosed(int groupHash) => _closed.Contains(groupHash);

    public void Free(int groupHash)
    {
        if (!_closed.Contains(groupHash))
        {
            _free.Add(groupHash);
        }
    }

    public void Close(int groupHash)
    {
        _free.Remove(groupHash);
        _closed.Add(groupHash);
    }

    public void Lease(long offset) => Add(_known, Leased, offset);

    public void Skip(long offset) => Add(_knownSkipped, Skipped, offset);

    /// <summary>
    /// Ends the choice among known offsets, which come lane by lane; a record lists them ascending. New ones follow behind.
    /// </summary>
    public void EndKnown()
    {
        _isKnownOver = true;
        MoveSorted(_known, Leased);
        MoveSorted(_knownSkipped, Skipped);
    }

    private static void MoveSorted(List<long> offsets, List<OffsetRange> ranges)
    {
        offsets.Sort();
        foreach (var offset in offsets)
        {
            OffsetRange.Append(ranges, offset);
        }
    }

    private void Add(List<long> known, List<OffsetRange> ranges, long offset)
    {
        if (_isKnownOver)
        {
            OffsetRange.Append(ranges, offset);
        }
        else
        {
            known.Add(offset);
        }
    }
}
