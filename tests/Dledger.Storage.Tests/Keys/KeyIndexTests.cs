using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Keys;
using Dledger.Testing.Disks;
using Dledger.Testing.Golden;

namespace Dledger.Storage.Tests.Keys;

/// <summary>A log of frames of 100 bytes; each holds a key of its own, and every tenth also the key 7.</summary>
public sealed class KeyIndexTests
{
    private const int FrameBytes = 100;

    private readonly SimulatedDisk _disk = new(seed: 1);
    private readonly List<string> _reports = [];
    private bool _logIsUnreadable;
    private int _readCount;

    [Fact]
    public void A_file_keeps_its_bytes()
    {
        KeyEntry[] entries = [.. Enumerable.Range(0, 300).Select(n => new KeyEntry((ulong)n * 0x0102030405060708, 1000 + n)).Order()];

        var bytes = KeyFile.Encode(new LogPosition(64), new LogPosition(4096), 0xA1B2C3D4, entries);

        GoldenFile.Check("keyfile-v1.hex", bytes, GoldenBeside());
        var stored = GoldenFile.Read("keyfile-v1.hex", bytes.Length, GoldenBeside());
        WriteFile("f", stored);
        Assert.True(KeyFile.TryOpen(_disk, "f", new LogPosition(64), new LogPosition(4096), out var file, out var fault), fault);
        var found = new List<KeyEntry>();
        file.ReadAll(found);
        Assert.Equal(entries, found);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void An_index_of_any_number_of_files_and_blocks_finds_what_a_list_finds(int seed)
    {
        var random = new Random(seed);
        var options = new KeyIndexOptions { EntriesPerFile = 1 + random.Next(600), WaitingBlocksMax = 2 };
        var index = Open(0, options);
        var twin = new List<(ulong Hash, long Position)>();
        for (var n = 0; n < 2_000; n++)
        {
            for (var i = random.Next(4); i > 0; i--)
            {
                var key = ((ulong)random.Next(300), (long)(n * FrameBytes) + i);
                twin.Add(key);
                index.Add(key.Item1, new LogPosition(key.Item2));
            }

            index.FrameEnded(At(n + 1), Crc(n + 1));
            if (random.Next(10) == 0)
            {
                index.BeginWork(At(n + 1), default, random.Next(10) == 0)?.Invoke();
            }
        }

        for (var hash = 0UL; hash < 301; hash++)
        {
            var from = random.Next(100_000);
            var to = from + random.Next(150_000);
            var search = index.Search(hash, new LogPosition(from), new LogPosition(to));
            var expected = twin.Where(key => key.Hash == hash && key.Position >= from && key.Position < to)
                .Select(key => key.Position).Distinct().OrderDescending();
            if (search.Gaps.Count == 0)
            {
                Assert.Equal(expected, search.Positions.Select(position => position.Value));
            }
        }

        Assert.Empty(index.Search(1, At(1_950), At(2_000)).Gaps);
    }

    [Fact]
    public void A_restart_goes_on_from_the_files_and_adds_nothing_twice()
    {
        var index = Fill(Open(0), 0, 100);
        Write(index, 100);
        Fill(index, 100, 120);
        _disk.LosePower();

        // The state checkpoint is older than the files.
        index = Fill(Open(80), 80, 120);

        Assert.Equal(Positions(0, 120), Found(index, 120));
        Assert.Empty(Search(index, 7, 120).Gaps);
        Assert.Equal(0, _readCount);
    }

    [Fact]
    public void What_no_file_covers_is_named_and_read_from_the_log_again()
    {
        var index = Fill(Open(0), 0, 100);
        Write(index, 100);

        index = Fill(Open(150), 150, 200);

        Assert.Equal([new PositionRange(At(100), At(150))], Search(index, 7, 200).Gaps);
        Work(index, 200);
        Assert.Empty(Search(index, 7, 200).Gaps);
        Assert.Equal(Positions(0, 200), Found(index, 200));
    }

    [Fact]
    public void A_gap_that_cannot_be_read_stays_one_until_the_next_checkpoint()
    {
        var index = Fill(Open(50), 50, 100);
        _logIsUnreadable = true;
        Work(index, 100);
        Assert.NotEmpty(Search(index, 7, 100).Gaps);

        _logIsUnreadable = false;
        Write(index, 100);

        Assert.Empty(Search(index, 7, 100).Gaps);
        Assert.Equal(Positions(0, 100), Found(index, 100));
    }

    [Fact]
    public void Every_flipped_bit_of_a_file_is_noticed_before_it_is_believed()
    {
        var index = Fill(Open(0), 0, 400);
        Write(index, 400);
        var name = Assert.Single(_disk.List("keys"));
        var length = _disk.Open($"keys/{name}", DiskOpenMode.Read).Length;
        var whole = ReadFile($"keys/{name}");
        for (var at = 0; at < length; at += 61)
        {
            var broken = (byte[])whole.Clone();
            broken[at] ^= 0x10;
            WriteFile($"keys/{name}", broken);
            var reopened = Open(400);
            var search = Search(reopened, 7, 400);
            Assert.True(
                search.Gaps.Count > 0 || search.Positions.Count == 40, $"byte {at}: {search.Positions.Count} found, no gap");

            Work(reopened, 400);
            Assert.Equal(Positions(0, 400), Found(reopened, 400));
            foreach (var file in _disk.List("keys"))
            {
                _disk.Delete($"keys/{file}");
            }
        }
    }

    [Fact]
    public void A_torn_a_missing_and_a_foreign_file_are_gaps_that_heal()
    {
        var index = Fill(Open(0, new KeyIndexOptions { EntriesPerFile = 50 }), 0, 200);
        for (var n = 0; n < 4; n++)
        {
            Work(index, 200);
        }

        Write(index, 200);
        var names = _disk.List("keys");
        Assert.True(names.Count >= 3, string.Join(' ', names));
        _disk.Delete($"keys/{names[0]}");
        using (var torn = _disk.Open($"keys/{names[1]}", DiskOpenMode.ReadWrite))
        {
            torn.SetLength(5_000);
        }

        WriteFile("keys/rubbish", [1, 2, 3]);
        index = Open(200);

        Assert.NotEmpty(Search(index, 7, 200).Gaps);
        Assert.DoesNotContain("rubbish", _disk.List("keys"));
        Work(index, 200);
        Assert.Equal(Positions(0, 200), Found(index, 200));
        Assert.Empty(Search(index, 7, 200).Gaps);
    }

    [Fact]
    public void A_file_of_another_history_is_not_used()
    {
        var index = Fill(Open(0), 0, 100);
        Write(index, 100);

        index = KeyIndex.Open(_disk, "keys", new KeyIndexOptions(), At(100), (_, _) => false, Read, _reports.Add);

        Assert.Empty(_disk.List("keys"));
        Assert.Single(_reports);
        Assert.Equal([new PositionRange(At(0), At(100))], Search(index, 7, 100).Gaps);
    }

    [Fact]
    public void Files_go_with_the_start_of_the_log()
    {
        var index = Fill(Open(0, new KeyIndexOptions { EntriesPerFile = 50 }), 0, 200);
        for (var n = 0; n < 4; n++)
        {
            Work(index, 200);
        }

        Write(index, 200);
        var before = _disk.List("keys").Count;
        index.BeginWork(At(200), At(120), isCheckpoint: false)?.Invoke();

        Assert.True(_disk.List("keys").Count < before);
        Assert.Empty(index.Search(7, At(120), At(200)).Gaps);
        Assert.NotEmpty(index.Search(7, At(0), At(200)).Gaps);
    }

    [Fact]
    public void A_full_disk_is_reported_and_the_index_goes_on_in_memory()
    {
        var index = Fill(Open(0), 0, 100);
        _disk.CapacityBytes = 0;

        Write(index, 100);

        Assert.Contains(_reports, report => report.Contains("keys cannot be written at present", StringComparison.Ordinal));
        Assert.Equal(Positions(0, 100), Found(index, 100));
        _disk.CapacityBytes = long.MaxValue;
        Fill(index, 100, 110);
        Write(index, 110);
        Assert.NotEmpty(_disk.List("keys"));
        Assert.Equal(Positions(0, 110), Found(index, 110));
    }

    [Fact]
    public void A_crash_at_any_step_leaves_an_index_that_tells_the_truth()
    {
        for (var step = 1L; step < 14; step++)
        {
            var disk = new SimulatedDisk((int)step);
            var index = Fill(Open(0, disk: disk), 0, 60);
            Write(index, 60);
            Fill(index, 60, 100);
            disk.CrashAtOperation = disk.OperationCount + step;
            try
            {
                Write(index, 100);
            }
            catch (SimulatedCrashException)
            {
            }

            disk.LosePower();
            index = Fill(Open(60, disk: disk), 60, 100);
            var search = Search(index, 7, 100);
            Assert.True(search.Gaps.Count > 0 || search.Positions.Count == 10, $"step {step}");
            Work(index, 100);
            Assert.Equal(Positions(0, 100), Found(index, 100));
        }
    }

    private static LogPosition At(int frame) => new(frame * FrameBytes);

    private static uint Crc(int frame) => (uint)frame * 2_654_435_761;

    private static bool Holds(LogPosition end, uint crc) => Crc((int)(end.Value / FrameBytes)) == crc;

    private static List<long> Positions(int first, int end) =>
        [.. Enumerable.Range(first, end - first).Where(n => n % 10 == 0).Select(n => At(n).Value + 8).OrderDescending()];

    private static List<long> Found(KeyIndex index, int end) => [.. Search(index, 7, end).Positions.Select(p => p.Value)];

    private static KeySearch Search(KeyIndex index, ulong hash, int end) => index.Search(hash, At(0), At(end));

    private static void Write(KeyIndex index, int end)
    {
        index.BeginWork(At(end), default, isCheckpoint: true)?.Invoke();
        Work(index, end);
    }

    private static void Work(KeyIndex index, int end)
    {
        while (index.BeginWork(At(end), default, isCheckpoint: false) is { } work)
        {
            work();
        }
    }

    private static void Add(Action<ulong, long> add, int frame)
    {
        add(1_000 + (ulong)frame, At(frame).Value + 8);
        if (frame % 10 == 0)
        {
            add(7, At(frame).Value + 8);
        }
    }

    private static KeyIndex Fill(KeyIndex index, int first, int end)
    {
        for (var n = first; n < end; n++)
        {
            Add((hash, position) => index.Add(hash, new LogPosition(position)), n);
            index.FrameEnded(At(n + 1), Crc(n + 1));
        }

        return index;
    }

    private static string GoldenBeside([System.Runtime.CompilerServices.CallerFilePath] string file = "") =>
        Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(file)!)!, "GoldenFormatTests.cs");

    private KeyIndex Open(int applied, KeyIndexOptions? options = null, SimulatedDisk? disk = null) =>
        KeyIndex.Open(disk ?? _disk, "keys", options ?? new KeyIndexOptions(), At(applied), Holds, Read, _reports.Add);

    private (LogPosition Reached, uint HeaderCrc) Read(LogPosition from, LogPosition limit, Action<ulong, long> add)
    {
        if (_logIsUnreadable)
        {
            return (from, 0);
        }

        _readCount++;
        var first = (int)(from.Value / FrameBytes);
        var end = Math.Min(first + 7, (int)(limit.Value / FrameBytes));
        for (var n = first; n < end; n++)
        {
            Add(add, n);
        }

        return (At(end), Crc(end));
    }

    private byte[] ReadFile(string path)
    {
        using var file = _disk.Open(path, DiskOpenMode.Read);
        var bytes = new byte[file.Length];
        file.Read(0, bytes);
        return bytes;
    }

    private void WriteFile(string path, byte[] bytes)
    {
        using var file = _disk.Open(path, DiskOpenMode.OpenOrCreate);
        file.SetLength(0);
        file.Write(0, bytes);
        file.Sync();
        _disk.SyncDirectory(DiskPaths.ParentOf(path));
    }
}
