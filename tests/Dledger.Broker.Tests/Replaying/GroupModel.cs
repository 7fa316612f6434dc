namespace Dledger.Broker.Tests.Replaying;

/// <summary>The slow, obvious twin of one group on one topic: a list of messages with what happened to each.</summary>
internal sealed class GroupModel(int maxAttempts)
{
    private readonly SortedDictionary<(int Queue, long Offset), Entry> _entries = [];

    /// <summary>Bodies that must have reached the dead letter topic.</summary>
    public List<string> Dead { get; } = [];

    public void Sent(int queue, long offset, string body) => _entries[(queue, offset)] = new Entry(body);

    /// <summary>Messages that a receive may get now.</summary>
    public int AvailableCount => _entries.Values.Count(entry => entry is { IsDone: false, Handle: null });

    public int UnfinishedCount => _entries.Values.Count(entry => !entry.IsDone);

    public void Delivered(int queue, long offset, string body, int attempt, string handle, long deadline)
    {
        var entry = _entries[(queue, offset)];
        Assert.False(entry.IsDone, $"{body} was finished before");
        Assert.True(entry.Handle is null, $"{body} was leased");
        Assert.Equal(entry.Body, body);
        Assert.Equal(entry.Attempts + 1, attempt);
        entry.Attempts++;
        entry.Handle = handle;
        entry.Deadline = deadline;
        entry.IsSuspended = false;
    }

    /// <summary>Whether the handle finishes a message or finished one.</summary>
    public bool Ack(int queue, long offset, string handle)
    {
        var entry = _entries[(queue, offset)];
        if (entry.Handle == handle)
        {
            entry.Handle = null;
            entry.IsDone = true;
        }

        return entry.IsDone;
    }

    /// <summary>Whether the handle may still change its deadline.</summary>
    public bool Change(int queue, long offset, string handle, long deadline, bool suspend, long now)
    {
        var entry = _entries[(queue, offset)];
        if (entry.Handle != handle)
        {
            return false;
        }

        entry.Deadline = deadline;
        entry.IsSuspended = suspend;
        Advance(now);
        return true;
    }

    public void Advance(long now)
    {
        foreach (var entry in _entries.Values.Where(entry => entry.Handle is not null && entry.Deadline <= now))
        {
            entry.Handle = null;
            if (entry.IsSuspended)
            {
                entry.Attempts--;
            }
            else if (entry.Attempts >= maxAttempts)
            {
                entry.IsDone = true;
                Dead.Add(entry.Body);
            }
        }
    }

    private sealed class Entry(string body)
    {
        public string Body { get; } = body;

        public int Attempts { get; set; }

        public string? Handle { get; set; }

        public long Deadline { get; set; }

        public bool IsSuspended { get; set; }

        public bool IsDone { get; set; }
    }
}
