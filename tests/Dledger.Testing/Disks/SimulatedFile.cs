namespace Dledger.Testing.Disks;

/// <summary>
/// The content of a simulated file: what readers see, and what of it is durable. Guarded by the disk's lock.
/// </summary>
/// <remarks>
/// Sectors of 512 bytes, kept only where they were ever written. A sector with writes since the last sync remembers
/// each version: the disk may have written any of them by the time of a power loss.
/// </remarks>
internal sealed class SimulatedFile
{
    public const int SectorBytes = 512;

    private static readonly byte[] ZeroSector = new byte[SectorBytes];

    private readonly SectorTable _sectors = new();
    private readonly List<Sector> _unsynced = [];
    private long _durableLength;

    public bool IsDirectory { get; init; }

    public long Length { get; private set; }

    /// <summary>Blocks that count against the disk's capacity.</summary>
    public long AllocatedBytes { get; private set; }

    public int Read(long offset, Span<byte> destination)
    {
        var count = (int)Math.Clamp(Length - offset, 0, destination.Length);
        for (var done = 0; done < count;)
        {
            var (sector, start) = Math.DivRem(offset + done, SectorBytes);
            var piece = (int)Math.Min(SectorBytes - start, count - done);
            var target = destination.Slice(done, piece);
            if (_sectors.Find(sector)?.Visible is { } bytes)
            {
                bytes.AsSpan((int)start, piece).CopyTo(target);
            }
            else
            {
                target.Clear();
            }

            done += piece;
        }

        return count;
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        for (var done = 0; done < bytes.Length;)
        {
            var (number, start) = Math.DivRem(offset + done, SectorBytes);
            var piece = (int)Math.Min(SectorBytes - start, bytes.Length - done);
            var sector = _sectors.Require(number);
            var next = GC.AllocateUninitializedArray<byte>(SectorBytes);
            if (piece < SectorBytes)
            {
                (sector.Visible ?? ZeroSector).CopyTo(next, 0);
            }

            bytes.Slice(done, piece).CopyTo(next.AsSpan((int)start));
            Put(sector, next);
            done += piece;
        }

        NoteLength(offset + bytes.Length);
    }

    /// <summary>The same as writing zeros, without making them first.</summary>
    public void WriteZeros(long offset, long length)
    {
        var end = offset + length;
        while (offset < end)
        {
            var (number, start) = Math.DivRem(offset, SectorBytes);
            var piece = (int)Math.Min(SectorBytes - start, end - offset);
            if (piece == SectorBytes)
            {
                Put(_sectors.Require(number), ZeroSector);
                NoteLength(offset + piece);
            }
            else
            {
                Write(offset, ZeroSector.AsSpan(0, piece));
            }

            offset += piece;
        }
    }

    public void SetLength(long length)
    {
        if (length < Length)
        {
            var tail = length % SectorBytes;
            if (tail > 0 && _sectors.Find(length / SectorBytes)?.Visible is not null)
            {
                Write(length, ZeroSector.AsSpan(0, (int)(SectorBytes - tail)));
            }

            foreach (var sector in _sectors.From((length + SectorBytes - 1) / SectorBytes))
            {
                if (sector.Visible is not null)
                {
                    sector.Pending?.Clear();
                    Put(sector, ZeroSector);
                    sector.Visible = null;
                }
            }
        }

        Length = length;
        AllocatedBytes = Math.Min(AllocatedBytes, length);
    }

    public void Allocate(long length) => NoteLength(length);

    /// <summary>What was written becomes durable.</summary>
    public void Sync()
    {
        foreach (var sector in _unsynced)
        {
            if (sector.Pending is { Count: > 0 } versions)
            {
                sector.Durable = versions[^1];
                versions.Clear();
            }
        }

        _unsynced.Clear();
        _durableLength = Length;
    }

    /// <summary>
    /// A failed sync: the pages count as clean from now on and are still readable, but never reached the disk.
    /// </summary>
    public void FailSync() => DropPending();

    /// <summary>Only what the disk has remains.</summary>
    public void LosePower(Random random, SectorLoss loss)
    {
        var pending = _unsynced
            .Where(sector => sector.Pending is { Count: > 0 })
            .Distinct()
            .OrderBy(sector => sector.Number)
            .ToArray();
        var split = random.Next(pending.Length + 1);
        for (var i = 0; i < pending.Length; i++)
        {
            var survives = loss switch
            {
                SectorLoss.All => false,
                SectorLoss.None => true,
                SectorLoss.KeepPrefix => i < split,
                SectorLoss.KeepSuffix => i >= split,
                SectorLoss.FirstOnly => i > 0,
                _ => random.Next(2) == 0,
            };
            if (survives)
            {
                var versions = pending[i].Pending!;
                pending[i].Durable = versions[loss == SectorLoss.Random ? random.Next(versions.Count) : ^1];
            }
        }

        // Data without its length cannot survive; a length without data reads as zeros.
        Length = loss == SectorLoss.None || (loss != SectorLoss.All && random.Next(2) == 0) ? Length : _durableLength;
        _durableLength = Length;
        AllocatedBytes = Length;
        DropPending();
        foreach (var sector in _sectors.From(0))
        {
            sector.Visible = sector.Number * SectorBytes < Length ? sector.Durable : null;
        }
    }

    /// <summary>Changes a byte both in the page cache and on the disk, as bit rot that a reader meets.</summary>
    public void Corrupt(long offset, byte mask)
    {
        var (number, start) = Math.DivRem(offset, SectorBytes);
        var sector = _sectors.Require(number);
        var bytes = (byte[])(sector.Visible ?? ZeroSector).Clone();
        bytes[start] ^= mask;
        sector.Visible = bytes;
        sector.Durable = bytes;
        sector.Pending?.Clear();
    }

    /// <summary>What is durable.</summary>
    public byte[] ReadDurable()
    {
        var bytes = new byte[_durableLength];
        foreach (var sector in _sectors.From(0))
        {
            if (sector.Durable is { } durable && sector.Number * SectorBytes < _durableLength)
            {
                var start = (int)(sector.Number * SectorBytes);
                durable.AsSpan(0, Math.Min(SectorBytes, bytes.Length - start)).CopyTo(bytes.AsSpan(start));
            }
        }

        return bytes;
    }

    /// <summary>Puts other bytes both in the page cache and on the disk.</summary>
    public void Overwrite(long offset, ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            var (number, start) = Math.DivRem(offset + i, SectorBytes);
            var mask = (byte)((_sectors.Find(number)?.Visible?[start] ?? 0) ^ bytes[i]);
            if (mask != 0)
            {
                Corrupt(offset + i, mask);
            }
        }
    }

    /// <summary>
    /// Damages one durable sector: a flipped bit, zeros, or the content of another sector, as a misdirected write
    /// leaves it. Returns its offset; null when nothing is durable.
    /// </summary>
    public long? Rot(Random random)
    {
        var candidates = _sectors.From(0)
            .Where(sector => sector.Durable is not null && sector.Number * SectorBytes < Length
                && sector.Pending is not { Count: > 0 })
            .ToArray();
        if (candidates.Length == 0)
        {
            return null;
        }

        var chosen = candidates[random.Next(candidates.Length)];
        var bytes = (byte[])chosen.Durable!.Clone();
        switch (random.Next(3))
        {
            case 0:
                bytes[random.Next(SectorBytes)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes.AsSpan().Clear();
                break;
            default:
                candidates[random.Next(candidates.Length)].Durable!.CopyTo(bytes, 0);
                break;
        }

        chosen.Visible = bytes;
        chosen.Durable = bytes;
        return chosen.Number * SectorBytes;
    }

    private void Put(Sector sector, byte[] version)
    {
        sector.Visible = version;
        sector.Pending ??= [];
        if (sector.Pending.Count == 0)
        {
            _unsynced.Add(sector);
        }

        sector.Pending.Add(version);
    }

    private void NoteLength(long length)
    {
        Length = Math.Max(Length, length);
        AllocatedBytes = Math.Max(AllocatedBytes, Length);
    }

    private void DropPending()
    {
        foreach (var sector in _unsynced)
        {
            sector.Pending?.Clear();
        }

        _unsynced.Clear();
    }
}
