namespace Dledger.Testing.Disks;

/// <summary>Sectors by number, kept in pages that exist only where something was ever written.</summary>
internal sealed class SectorTable
{
    private const int PageSectors = 128;

    private Sector?[]?[] _pages = [];

    /// <summary>The sector, or null when it was never written.</summary>
    public Sector? Find(long number)
    {
        var page = number / PageSectors;
        return page < _pages.Length && _pages[page] is { } sectors ? sectors[number % PageSectors] : null;
    }

    /// <summary>The sector, made when there is none.</summary>
    public Sector Require(long number)
    {
        var page = (int)(number / PageSectors);
        if (page >= _pages.Length)
        {
            Array.Resize(ref _pages, Math.Max(page + 1, 2 * _pages.Length));
        }

        var sectors = _pages[page] ??= new Sector?[PageSectors];
        return sectors[number % PageSectors] ??= new Sector(number);
    }

    /// <summary>All of them from a number on, in their order.</summary>
    public IEnumerable<Sector> From(long number)
    {
        for (var page = number / PageSectors; page < _pages.Length; page++)
        {
            if (_pages[page] is { } sectors)
            {
                foreach (var sector in sectors)
                {
                    if (sector is not null && sector.Number >= number)
                    {
                        yield return sector;
                    }
                }
            }
        }
    }
}
