namespace Dledger.Chaos.Histories;

/// <summary>Reflected CRC of 32 bits, of our own so that the checker shares nothing with what it checks.</summary>
internal static class Crc
{
    /// <summary>CRC-32 of IEEE 802.3.</summary>
    public static readonly uint[] Ieee = Table(0xEDB88320);

    /// <summary>CRC-32C of RFC 3720, which the stored frames use.</summary>
    public static readonly uint[] Castagnoli = Table(0x82F63B78);

    public static uint Of(ReadOnlySpan<byte> bytes, uint[] table, uint seed = 0)
    {
        var crc = ~seed;
        foreach (var value in bytes)
        {
            crc = (crc >> 8) ^ table[(byte)(crc ^ value)];
        }

        return ~crc;
    }

    private static uint[] Table(uint polynomial)
    {
        var table = new uint[256];
        for (var i = 0u; i < 256; i++)
        {
            var crc = i;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 1 ? (crc >> 1) ^ polynomial : crc >> 1;
            }

            table[i] = crc;
        }

        return table;
    }
}
