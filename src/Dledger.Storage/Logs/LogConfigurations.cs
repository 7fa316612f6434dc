using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>
/// The configuration frames of a log, oldest first: collected while frames are scanned or appended, cut with the log.
/// </summary>
/// <remarks>Owned by whoever owns the log's end: recovery, then the log writer.</remarks>
internal sealed class LogConfigurations(IReadOnlyList<LogConfiguration> known)
{
    private readonly List<LogConfiguration> _entries = [.. known];

    /// <summary>All that are known; a copy.</summary>
    public IReadOnlyList<LogConfiguration> ToList() => [.. _entries];

    /// <summary>Keeps the record of a frame that holds a configuration.</summary>
    /// <param name="header">The frame's header.</param>
    /// <param name="payload">The bytes behind it.</param>
    public void Note(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if ((header.Flags & FrameFlags.Configuration) != 0)
        {
            _entries.Add(new LogConfiguration(header.Base, payload.ToArray()));
        }
    }

    /// <summary>Forgets those of frames at or behind a new end.</summary>
    public void TruncateTo(LogPosition end) => _entries.RemoveAll(entry => entry.Position >= end);

    /// <summary>Whether a frame of [from, to) is one of them.</summary>
    public bool HasAny(LogPosition from, LogPosition to) =>
        _entries.Exists(entry => entry.Position >= from && entry.Position < to);

    /// <summary>
    /// What a checkpoint of the log up to a position keeps: all that the log still holds, and the one in force where it begins.
    /// </summary>
    public IReadOnlyList<LogConfiguration> Before(LogPosition end, LogPosition logStart)
    {
        var first = Math.Max(0, _entries.FindLastIndex(entry => entry.Position < logStart));
        return [.. _entries.Skip(first).Where(entry => entry.Position < end)];
    }
}
