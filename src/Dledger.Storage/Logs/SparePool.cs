using System.Globalization;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Logs;

/// <summary>A file of full length whose name is durable and which holds no part of the log.</summary>
/// <param name="File">The open file, owned.</param>
/// <param name="Path">Its name.</param>
/// <param name="ZeroFilled">Whether all its blocks were written before, so that a sync carries no metadata.</param>
/// <param name="UseCounter">How often it was used as a segment.</param>
internal sealed record SpareSegment(IDiskFile File, string Path, bool ZeroFilled, long UseCounter = 0);

/// <summary>Spares that wait for a roll. Safe for any thread: the preparer adds, the log writer takes.</summary>
internal sealed class SparePool : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Queue<SpareSegment> _ready = new();
    private long _nextNumber;

    /// <summary>Spares ready.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _ready.Count;
            }
        }
    }

    /// <summary>Whether the next spare was written with zeros.</summary>
    public bool HasZeroFilled
    {
        get
        {
            lock (_lock)
            {
                return _ready.TryPeek(out var spare) && spare.ZeroFilled;
            }
        }
    }

    public void Add(SpareSegment spare)
    {
        lock (_lock)
        {
            _ready.Enqueue(spare);
        }
    }

    /// <summary>The next spare, or null.</summary>
    public SpareSegment? Take()
    {
        lock (_lock)
        {
            return _ready.TryDequeue(out var spare) ? spare : null;
        }
    }

    /// <summary>A number that no file of this log bears in its name.</summary>
    public long NextNumber()
    {
        lock (_lock)
        {
            return _nextNumber++;
        }
    }

    /// <summary>Keeps <see cref="NextNumber"/> away from a name that exists.</summary>
    public void ReserveName(string name)
    {
        var dash = name.LastIndexOf('-');
        if (dash >= 0
            && long.TryParse(name.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            lock (_lock)
            {
                _nextNumber = Math.Max(_nextNumber, number + 1);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (Take() is { } spare)
        {
            spare.File.Dispose();
        }
    }
}
