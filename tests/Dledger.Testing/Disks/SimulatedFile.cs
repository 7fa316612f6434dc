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

    private readonly SortedDictionary<long, byte[]> _visible = [];
    private readonly Dictionary<long, byte[]> _durable = [];
    private readonly SortedDictionary<long, List<byte[]>> _pending = [];
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
            if (_visible.TryGetValue(sector, out var bytes))
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
            var (sector, start) = Math.DivRem(offset + done, SectorBytes);
            var piece = (int)Math.Min(SectorBytes - start, bytes.Length - done);
            var next = _visible.TryGetValue(sector, out var old) ? (byte[])old.Clone() : new byte[SectorBytes];
            bytes.Slice(done, piece).CopyTo(next.AsSpan((int)start));
            _visible[sector] = next;
            if (!_pending.TryGetValue(sector, out var versions))
            {
                _pending.Add(sector, versions = []);
            }

            versions.Add(next);
            done += piece;
        }

        Length = Math.Max(Length, offset + bytes.Length);
        AllocatedBytes = Math.Max(AllocatedBytes, Length);
    }

    public void SetLength(long length)
    {
        if (length < Length)
        {
            var tail = length % SectorBytes;
            if (tail > 0 && _visible.ContainsKey(length / SectorBytes))
            {
                Write(length, new byte[SectorBytes - tail]);
            }

            foreach (var sector in _visible.Keys.Where(sector => sector * SectorBytes >= length).ToArray())
            {
                _visible.Remove(sector);
                _pending[sector] = [new byte[SectorBytes]];
            }
        }

        Length = length;
        AllocatedBytes = Math.Min(AllocatedBytes, length);
    }

    public void Allocate(long length)
    {
        Length = Math.Max(Length, length);
        AllocatedBytes = Math.Max(AllocatedBytes, length);
    }

    /// <summary>What was written becomes durable.</summary>
    public void Sync()
    {
        foreach (var (sector, versions) in _pending)
        {
            _durable[sector] = versions[^1];
        }

        _pending.Clear();
        _durableLength = Length;
    }

    /// <summary>
    /// A failed sync: the pages count as clean from now on and are still readable, but never reached the disk.
    /// </summary>
    public void FailSync() => _pending.Clear();

    /// <summary>Only what the disk has remains.</summary>
    public void LosePower(Random random, SectorLoss loss)
    {
        var pending = _pending.ToArray();
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
                var versions = pending[i].Value;
                _durable[pending[i].Key] = versions[loss == SectorLoss.Random ? random.Next(versions.Count) : ^1];
            }
        }

        // Data without its length cannot survive; a length without data reads as zeros.
        Length = loss == SectorLoss.None || (loss != SectorLoss.All && random.Next(2) == 0) ? Length : _durableLength;
        _durableLength = Length;
        AllocatedBytes = Length;
        _pending.Clear();
        _visible.Clear();
        foreach (var (sector, bytes) in _durable)
        {
            if (sector * SectorBytes < Length)
            {
                _visible[sector] = bytes;
            }
        }
    }

    /// <summary>Changes a byte both in the page cache and on the disk, as bit rot that a reader meets.</summary>
    public void Corrupt(long offset, byte mask)
    {
        var (sector, start) = Math.DivRem(offset, SectorBytes);
        var bytes = _visible.TryGetValue(sector, out var old) ? (byte[])old.Clone() : new byte[SectorBytes];
        bytes[start] ^= mask;
        _visible[sector] = bytes;
        _durable[sector] = bytes;
        _pending.Remove(sector);
    }

    /// <summary>
    /// Damages one durable sector: a flipped bit, zeros, or the content of another sector, as a misdirected write
    /// leaves
    /// it. Returns its offset; null when nothing is durable.
    /// </summary>
    public long? Rot(Random random)
    {
        var candidates = _durable.Keys
            .Where(sector => sector * SectorBytes < Length && !_pending.ContainsKey(sector))
            .Order()
            .ToArray();
        if (candidates.Length == 0)
        {
            return null;
        }

        var chosen = candidates[random.Next(candidates.Length)];
        var bytes = (byte[])_durable[chosen].Clone();
        switch (random.Next(3))
        {
            case 0:
                bytes[random.Next(SectorBytes)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes.AsSpan().Clear();
                break;
            default:
                _durable[candidates[random.Next(candidates.Length)]].CopyTo(bytes, 0);
                break;
        }

        _visible[chosen] = bytes;
        _durable[chosen] = bytes;
        return chosen * SectorBytes;
    }
}
