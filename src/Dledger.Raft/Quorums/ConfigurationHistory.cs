using Dledger.Primitives;

namespace Dledger.Raft.Quorums;

/// <summary>The configurations of the local log in order; the last one is in force as soon as it is appended (Raft section 6).</summary>
/// <remarks>
/// <code>
/// first  &lt;  ...  &lt;  Committed  &lt;=  Effective          at most one entry behind Committed on a leader (I26)
/// </code>
/// Owned by the replication loop.
/// </remarks>
internal sealed class ConfigurationHistory
{
    private readonly List<ConfigurationEntry> _entries;
    private readonly SeededDefect _defect;

    public ConfigurationHistory(IReadOnlyList<ConfigurationEntry> entries, SeededDefect defect)
    {
        _defect = defect;
        Invariant.Check(entries.Count > 0, "a configuration history begins with the cluster's first configuration");
        _entries = [entries[0]];
        foreach (var entry in entries.Skip(1))
        {
            Append(entry);
        }
    }

    public IReadOnlyList<ConfigurationEntry> Entries => _entries;

    /// <summary>The one with the highest position, committed or not.</summary>
    public ConfigurationEntry Newest => _entries[^1];

    /// <summary>The newest one whose frame lies before a commit position.</summary>
    public ConfigurationEntry CommittedAt(LogPosition commit)
    {
        var index = _entries.Count - 1;
        while (index > 0 && _entries[index].Position >= commit)
        {
            index--;
        }

        return _entries[index];
    }

    public void Append(ConfigurationEntry entry)
    {
        Invariant.Check(
            entry.Position > Newest.Position || IsHistoryWrong, $"I26: configuration at {entry.Position} behind one at {Newest.Position}");
        var fault = entry.Configuration.FindSuccessionFault(Newest.Configuration);
        Invariant.Check(
            fault is null || IsHistoryWrong,
            $"I27: configuration at {entry.Position} ({entry.Configuration}) after {Newest.Configuration}: {fault}");
        _entries.Add(entry);
    }

    /// <summary>Forgets what a truncation cut away: the one before is in force again.</summary>
    public void TruncateTo(LogPosition end)
    {
        while (_defect != SeededDefect.ConfigurationNotRolledBack && _entries.Count > 1 && Newest.Position >= end)
        {
            _entries.RemoveAt(_entries.Count - 1);
        }
    }

    // Seeded defects build successions that their own check would stop at once; the simulator must find them otherwise.
    private bool IsHistoryWrong =>
        _defect is SeededDefect.ConfigurationNotRolledBack or SeededDefect.ConfigurationEffectiveAtCommit;
}
