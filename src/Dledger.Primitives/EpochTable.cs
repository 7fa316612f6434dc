namespace Dledger.Primitives;

/// <summary>One leader's term and the position where its first frame begins.</summary>
public readonly record struct Epoch(Term Term, LogPosition Start);

/// <summary>
/// The terms of a log in order, each with its first position: it answers "which term wrote the frame that ends here?".
/// </summary>
/// <remarks>
/// The first entry is (term before the log's start, the log's start), for a whole log the virtual entry (0, 0). Terms
/// and starts strictly increase behind it (the first real entry may share start 0 with the virtual one). Owned by one
/// loop; not safe for concurrent use. Same purpose as Kafka's leader epoch cache.
/// </remarks>
public sealed class EpochTable
{
    private readonly List<Epoch> _epochs = [];

    /// <summary>A table of an empty log that begins at <paramref name="start"/>.</summary>
    public EpochTable(LogPosition start, Term termBefore) => _epochs.Add(new Epoch(termBefore, start));

    /// <summary>A table read back from a checkpoint.</summary>
    public EpochTable(IEnumerable<Epoch> epochs)
    {
        foreach (var epoch in epochs)
        {
            if (_epochs.Count == 0)
            {
                _epochs.Add(epoch);
            }
            else
            {
                Append(epoch);
            }
        }

        Invariant.Check(_epochs.Count > 0, "an epoch table has a first entry");
    }

    /// <summary>Oldest first; never empty.</summary>
    public IReadOnlyList<Epoch> Epochs => _epochs;

    /// <summary>The newest entry.</summary>
    public Epoch Last => _epochs[^1];

    /// <summary>Records the first frame of a term.</summary>
    public void Append(Epoch epoch)
    {
        var last = Last;
        Invariant.Check(
            epoch.Term > last.Term && (epoch.Start > last.Start || (_epochs.Count == 1 && epoch.Start == last.Start)),
            $"epochs increase: {epoch} after {last}");
        _epochs.Add(epoch);
    }

    /// <summary>Forgets the terms that begin at or behind a position which the log was cut to.</summary>
    public void TruncateTo(LogPosition end)
    {
        while (_epochs.Count > 1 && Last.Start >= end)
        {
            _epochs.RemoveAt(_epochs.Count - 1);
        }
    }

    /// <summary>
    /// Forgets what lies before a log's new start, a frame boundary; at or before the present start it does nothing.
    /// </summary>
    public void AdvanceStart(LogPosition start)
    {
        if (start <= _epochs[0].Start)
        {
            return;
        }

        var head = new Epoch(TermBefore(start), start);
        _epochs.RemoveAll(epoch => epoch.Start < start);
        _epochs.Insert(0, head);
    }

    /// <summary>The term of the frame that ends at <paramref name="position"/>.</summary>
    public Term TermBefore(LogPosition position)
    {
        for (var i = _epochs.Count - 1; i > 0; i--)
        {
            if (_epochs[i].Start < position)
            {
                return _epochs[i].Term;
            }
        }

        return _epochs[0].Term;
    }

    /// <summary>The term of the frame that begins at <paramref name="position"/>.</summary>
    public Term TermAt(LogPosition position)
    {
        for (var i = _epochs.Count - 1; i > 0; i--)
        {
            if (_epochs[i].Start <= position)
            {
                return _epochs[i].Term;
            }
        }

        return _epochs[0].Term;
    }

    /// <summary>The start of a term's first frame, if the log has one.</summary>
    public LogPosition? FindStart(Term term)
    {
        for (var i = _epochs.Count - 1; i >= 0; i--)
        {
            if (_epochs[i].Term == term)
            {
                return _epochs[i].Start;
            }
        }

        return null;
    }

    /// <summary>
    /// The end of the longest common prefix of two logs, from their epoch tables alone; null when no term is common,
    /// which means that only a snapshot helps.
    /// </summary>
    /// <remarks>
    /// Both logs hold the same frames of their largest common term from its start on, so the shorter run of that term
    /// is a prefix of the longer one and ends at a frame boundary of both; behind it the terms differ.
    /// </remarks>
    public static LogPosition? FindMatch(
        IReadOnlyList<Epoch> left, LogPosition leftEnd, IReadOnlyList<Epoch> right, LogPosition rightEnd)
    {
        var i = left.Count - 1;
        var j = right.Count - 1;
        while (i >= 0 && j >= 0)
        {
            if (left[i].Term == right[j].Term)
            {
                var leftRunEnd = i + 1 < left.Count ? left[i + 1].Start : leftEnd;
                var rightRunEnd = j + 1 < right.Count ? right[j + 1].Start : rightEnd;
                return LogPosition.Min(leftRunEnd, rightRunEnd);
            }

            if (left[i].Term > right[j].Term)
            {
                i--;
            }
            else
            {
                j--;
            }
        }

        return null;
    }
}
