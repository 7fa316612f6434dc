using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Dledger.Primitives;
using Dledger.Storage.Disks;

namespace Dledger.Storage.Keys;

/// <summary>An immutable file of sorted entries: all keys of the records between two positions of the log. Any thread.</summary>
/// <remarks>
/// Header page, pages of 255 entries, fences (the first hash of each page). Every part has a checksum that begins with the header's, so a
/// page of another file or place never passes. Format: Keys/FORMAT.md, frozen by Golden/keyfile-v1.hex.
/// </remarks>
internal sealed class KeyFile
{
    /// <summary>Bytes of the header and of each page.</summary>
    public const int PageBytes = 4096;

    /// <summary>Entries of a full page.</summary>
    public const int PageEntries = (PageBytes - PageHeaderBytes) / KeyEntry.Bytes;

    private const uint Magic = 0x314B4C44;
    private const int Version = 1;
    private const int PageHeaderBytes = 16;

    private readonly IDisk _disk;
    private readonly uint _seed;
    private readonly int _pageCount;
    private ulong[]? _fences;

    private KeyFile(IDisk disk, string path, ReadOnlySpan<byte> header)
    {
        _disk = disk;
        Path = path;
        _seed = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        Count = BinaryPrimitives.ReadInt32LittleEndian(header[12..]);
        Start = new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(header[16..]));
        End = new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(header[24..]));
        EndHeaderCrc = BinaryPrimitives.ReadUInt32LittleEndian(header[32..]);
        _pageCount = PagesOf(Count);
    }

    public string Path { get; }

    /// <summary>Entries.</summary>
    public int Count { get; }

    /// <summary>The first position that it covers.</summary>
    public LogPosition Start { get; }

    /// <summary>A frame boundary; behind what it covers.</summary>
    public LogPosition End { get; }

    /// <summary>Header checksum of the frame that ends at <see cref="End"/>: names the history that it describes.</summary>
    public uint EndHeaderCrc { get; }

    public static string NameOf(LogPosition start, LogPosition end) => $"{GroupLayout.NameOf(start)}-{GroupLayout.NameOf(end)}";

    /// <summary>Whether a name is that of an index file, and what it says to cover.</summary>
    public static bool TryParseName(string name, out LogPosition start, out LogPosition end)
    {
        start = end = default;
        var dash = name.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0
            || !long.TryParse(name[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            || !long.TryParse(name[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var last))
        {
            return false;
        }

        start = new LogPosition(first);
        end = new LogPosition(last);
        return name == NameOf(start, end);
    }

    /// <summary>The bytes of a file.</summary>
    /// <param name="start">What it covers, from here on.</param>
    /// <param name="end">To here.</param>
    /// <param name="endHeaderCrc">Of the frame that ends there.</param>
    /// <param name="entries">Sorted.</param>
    public static byte[] Encode(LogPosition start, LogPosition end, uint endHeaderCrc, ReadOnlySpan<KeyEntry> entries)
    {
        var pageCount = PagesOf(entries.Length);
        var bytes = new byte[(PageBytes * (1 + pageCount)) + (pageCount * 8) + 4];
        var header = bytes.AsSpan(0, PageBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], entries.Length);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], start.Value);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], end.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(header[32..], endHeaderCrc);
        var seed = Crc32C.Compute(header[8..]);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], seed);
        var fences = bytes.AsSpan(PageBytes * (1 + pageCount));
        for (var page = 0; page < pageCount; page++)
        {
            var content = entries.Slice(page * PageEntries, Math.Min(PageEntries, entries.Length - (page * PageEntries)));
            WritePage(bytes.AsSpan(PageBytes * (1 + page), PageBytes), content, seed, page);
            BinaryPrimitives.WriteUInt64LittleEndian(fences[(page * 8)..], content[0].Hash);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(fences[(pageCount * 8)..], Crc32C.Append(seed, fences[..(pageCount * 8)]));
        return bytes;
    }

    /// <summary>Opens a file by its header. False when it is damaged or not what its name says.</summary>
    public static bool TryOpen(
        IDisk disk, string path, LogPosition start, LogPosition end, [NotNullWhen(true)] out KeyFile? file, out string? fault)
    {
        file = null;
        var header = new byte[PageBytes];
        using var open = disk.Open(path, DiskOpenMode.Read);
        if (open.Read(0, header) < PageBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(header) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4)) != Crc32C.Compute(header.AsSpan(8)))
        {
            fault = "its header is damaged";
            return false;
        }

        if (BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8)) is not Version and var version)
        {
            fault = $"its version {version} is unknown";
            return false;
        }

        var found = new KeyFile(disk, path, header);
        var length = (PageBytes * (1L + found._pageCount)) + (found._pageCount * 8) + 4;
        fault = found.Start != start || found.End != end ? "its header tells of other positions than its name"
            : open.Length < length ? $"it has {open.Length} bytes, expected {length}"
            : null;
        file = fault is null ? found : null;
        return file is not null;
    }

    /// <summary>Adds the positions of a hash, ascending. Reads one page, mostly.</summary>
    /// <exception cref="DamagedFileException">A part that was needed is not what was written.</exception>
    public void Find(ulong hash, List<long> found)
    {
        if (Count == 0)
        {
            return;
        }

        using var open = _disk.Open(Path, DiskOpenMode.Read);
        var fences = _fences ??= ReadFences(open);

        // The last page that begins before the hash may end with it; those that begin with it follow.
        var page = Array.BinarySearch(fences, hash);
        if (page < 0)
        {
            page = ~page;
        }

        while (page > 0 && fences[page - 1] == hash)
        {
            page--;
        }

        page = Math.Max(0, page - 1);
        var bytes = new byte[PageBytes];
        for (; page < _pageCount && (fences[page] <= hash); page++)
        {
            var count = ReadPage(open, page, bytes);
            for (var i = 0; i < count; i++)
            {
                var entry = EntryAt(bytes, i);
                if (entry.Hash == hash)
                {
                    found.Add(entry.Position);
                }
            }
        }
    }

    /// <summary>Adds all entries, sorted.</summary>
    /// <exception cref="DamagedFileException">It is not what was written.</exception>
    public void ReadAll(List<KeyEntry> entries)
    {
        using var open = _disk.Open(Path, DiskOpenMode.Read);
        var bytes = new byte[PageBytes];
        for (var page = 0; page < _pageCount; page++)
        {
            var count = ReadPage(open, page, bytes);
            for (var i = 0; i < count; i++)
            {
                entries.Add(EntryAt(bytes, i));
            }
        }
    }

    private static int PagesOf(int entryCount) => (entryCount + PageEntries - 1) / PageEntries;

    private static void WritePage(Span<byte> page, ReadOnlySpan<KeyEntry> entries, uint seed, int number)
    {
        BinaryPrimitives.WriteInt32LittleEndian(page[4..], entries.Length);
        for (var i = 0; i < entries.Length; i++)
        {
            var at = page[(PageHeaderBytes + (i * KeyEntry.Bytes))..];
            BinaryPrimitives.WriteUInt64LittleEndian(at, entries[i].Hash);
            BinaryPrimitives.WriteInt64LittleEndian(at[8..], entries[i].Position);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(page, Crc32C.Append(seed ^ (uint)number, page[4..]));
    }

    private static KeyEntry EntryAt(ReadOnlySpan<byte> page, int index)
    {
        var at = page[(PageHeaderBytes + (index * KeyEntry.Bytes))..];
        return new KeyEntry(BinaryPrimitives.ReadUInt64LittleEndian(at), BinaryPrimitives.ReadInt64LittleEndian(at[8..]));
    }

    private ulong[] ReadFences(IDiskFile open)
    {
        var bytes = new byte[(_pageCount * 8) + 4];
        var count = open.Read(PageBytes * (1L + _pageCount), bytes);
        if (count < bytes.Length
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(_pageCount * 8))
                != Crc32C.Append(_seed, bytes.AsSpan(0, _pageCount * 8)))
        {
            throw new DamagedFileException(Path, "its fences are not what was written");
        }

        var fences = new ulong[_pageCount];
        for (var i = 0; i < fences.Length; i++)
        {
            fences[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(i * 8));
        }

        return fences;
    }

    private int ReadPage(IDiskFile open, int page, byte[] bytes)
    {
        var read = open.Read(PageBytes * (1L + page), bytes);
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(4));
        if (read < PageBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Crc32C.Append(_seed ^ (uint)page, bytes.AsSpan(4))
            || count is < 1 or > PageEntries)
        {
            throw new DamagedFileException(Path, $"page {page} is not what was written");
        }

        return count;
    }
}
