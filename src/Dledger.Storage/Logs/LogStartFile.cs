using Dledger.Storage.Disks;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>The file that says where the log begins; missing as long as that is position 0.</summary>
/// <remarks>
/// Four slots as in the meta file: sequence s is written twice, to the slots 2 * (s % 2) and 2 * (s % 2) + 1, and
/// synced
/// once, so a torn write leaves the older start and a rotten copy has its twin. Log writer.
/// </remarks>
internal sealed class LogStartFile(IDisk disk, string directory, LogIdentity identity, long sequence)
{
    /// <summary>Name in the log's directory.</summary>
    public const string Name = "start";

    /// <summary>Its name until it is whole.</summary>
    public const string DraftName = "start.new";

    private const int SlotCount = 4;
    private const int PageBytes = 4096;

    private long _sequence = sequence;

    /// <summary>The newest valid record, or null.</summary>
    public static LogStartRecord? Read(IDisk disk, string directory, LogIdentity identity)
    {
        using var file = disk.Open($"{directory}/{Name}", DiskOpenMode.Read);
        LogStartRecord? newest = null;
        var slot = new byte[LogStartRecord.Bytes];
        for (var i = 0; i < SlotCount; i++)
        {
            var length = file.Read(i * PageBytes, slot);
            var found = LogStartRecord.Parse(slot.AsSpan(0, length), identity);
            if (found is not null && (newest is null || found.Sequence > newest.Sequence))
            {
                newest = found;
            }
        }

        return newest;
    }

    /// <summary>Returns when a new start is durable.</summary>
    public void Write(in ChainTail start)
    {
        var record = new LogStartRecord(_sequence + 1, start);
        var pair = new byte[2 * PageBytes];
        record.Write(pair, identity);
        record.Write(pair.AsSpan(PageBytes), identity);
        var path = $"{directory}/{Name}";
        var isNew = !disk.Exists(path);
        using var file = isNew
            ? disk.Open($"{directory}/{DraftName}", DiskOpenMode.OpenOrCreate)
            : disk.Open(path, DiskOpenMode.ReadWrite);
        if (isNew)
        {
            file.SetLength(0);
            file.ZeroFill(0, SlotCount * PageBytes);
        }

        file.Write((record.Sequence & 1) * pair.Length, pair);
        file.Sync();
        if (isNew)
        {
            disk.Rename($"{directory}/{DraftName}", path);
        }

        disk.SyncDirectory(directory);
        _sequence++;
    }
}
